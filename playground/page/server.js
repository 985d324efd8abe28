/**
 * The page's connection to the playground's server.
 *
 * @typedef {import('../server/protocol.ts').Setup} Setup
 * @typedef {import('../server/protocol.ts').Snapshot} Snapshot
 * @typedef {import('../server/protocol.ts').Change} Change
 */

/**
 * @param {string} action
 * @param {object} [body]
 * @returns {Promise<boolean>}
 */
async function post(action, body = {}) {
  try {
    const response = await fetch(`/playground/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.ok;
  } catch {
    return false;
  }
}

export const server = {
  /** @param {{ chat: string, from: string, text: string }} message */
  send: (message) => post('send', message),
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
 * @param {{ onSnapshot: (snapshot: Snapshot) => void, onChange: (change: Change) => void, onLost: () => void }} listener
 */
export function listen({ onSnapshot, onChange, onLost }) {
  const events = new EventSource('/playground/events');
  events.addEventListener('snapshot', ({ data }) => onSnapshot(JSON.parse(data)));
  events.addEventListener('change', ({ data }) => onChange(JSON.parse(data)));
  events.addEventListener('error', () => {
    onLost();
    // A refused connection is given up by the browser; the server may be on its way back.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen({ onSnapshot, onChange, onLost }), 1500);
  });
}
