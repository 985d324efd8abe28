/**
 * The page's connection to the playground's server.
 *
 * @typedef {import('../server/protocol.ts').Setup} Setup
 * @typedef {import('../server/protocol.ts').Snapshot} Snapshot
 * @typedef {import('../server/protocol.ts').Change} Change
 * @typedef {import('../server/protocol.ts').FileInfo} FileInfo
 * @typedef {{ id: string, file: FileInfo }} Uploaded
 * @typedef {{ chat: string, from: string, text?: string, files?: string[], voice?: string, quote?: string, record?: boolean }} Message
 * @typedef {{ card: string, from: string, actionId: string, params: object, label: string }} Tap
 */

/**
 * @param {string} action
 * @param {object} body
 * @returns {Promise<{ id?: string, status?: number | null } | null>} null when the server did not do it
 */
async function request(action, body) {
  try {
    const response = await fetch(`/playground/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** @param {string} action @param {object} [body] */
const post = async (action, body = {}) => (await request(action, body)) !== null;

/** As much as the server takes. */
export const MAX_UPLOAD_BYTES = 25 * 1024 * 1024;

/**
 * @param {File} file
 * @returns {Promise<Uploaded | null>} null when the server did not take it
 */
async function upload(file) {
  try {
    const response = await fetch(`/playground/upload?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: file,
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** @param {number} call @returns {Promise<string | null>} null when there is nothing to copy */
async function curl(call) {
  try {
    const response = await fetch(`/playground/curl?call=${call}`);
    return response.ok ? (await response.json()).text : null;
  } catch {
    return null;
  }
}

export const server = {
  curl,
  /** @param {Message} message */
  send: (message) => post('send', message),
  /** The question's id, or null when it was not sent. @param {Message} message @returns {Promise<string | null>} */
  ask: async (message) => (await request('send', message))?.id ?? null,
  upload,
  /** True when the function answered, and in time. @param {Tap} tap */
  tap: async (tap) => (await request('tap', tap))?.status === 200,
  /** Follows a link that sends a text. @param {{ chat: string, from: string, url: string }} link */
  follow: (link) => post('link', link),
  /** @param {string} id */
  redeliver: (id) => post('redeliver', { id }),
  /** @param {keyof Setup['trouble']} name @param {boolean} on */
  trouble: (name, on) => post('trouble', { name, on }),
  /** @param {Partial<Setup>} change */
  configure: (change) => post('config', change),
  reset: () => post('reset'),
};

/**
 * Everything there is, then every change; again from the start whenever the connection was lost.
 *
 * @param {{ onSnapshot: (snapshot: Snapshot) => void | Promise<void>, onChange: (change: Change) => void, onLost: () => void }} listener
 */
export function listen({ onSnapshot, onChange, onLost }) {
  const events = new EventSource('/playground/events');
  events.addEventListener('snapshot', ({ data }) => void onSnapshot(JSON.parse(data)));
  events.addEventListener('change', ({ data }) => onChange(JSON.parse(data)));
  events.addEventListener('error', () => {
    onLost();
    // A refused connection is given up by the browser; the server may be on its way back.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen({ onSnapshot, onChange, onLost }), 1500);
  });
}
