import { h } from '../dom.js';

/** A section of the documents, as the function names it. */
const ROW = /^docs\/operations\.md#([\w-]+)$/;
const CODE = /\b(?:dify|dingtalk|store)_[a-z_]+\b/g;

/** The page on a failure's code, in the language of the page. @param {import('../ui.js').Ui} ui @param {string} code */
function linkTo(ui, code) {
  const page = ui.language === 'zh' ? 'operations.zh-CN' : 'operations';
  const props = { class: 'doc-link', href: `/docs/${page}.md#${code}`, target: '_blank', 'data-testid': 'doc-link' };
  return h('a', { ...props, title: ui.words.codeInDocs }, code);
}

/** What a field of the log holds. @param {import('../ui.js').Ui} ui @param {string} name @param {unknown} value */
export function fieldValue(ui, name, value) {
  const code = name === 'row' ? ROW.exec(String(value))?.[1] : undefined;
  return code === undefined ? String(value) : linkTo(ui, code);
}

/** A sentence, in which each code that has a section leads to it. @param {import('../ui.js').Ui} ui @param {string} text */
export function withDocLinks(ui, text) {
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(CODE)) {
    const [code] = found;
    // The names of these log lines look like codes.
    if (code === 'store_down') continue;
    parts.push(text.slice(end, found.index), linkTo(ui, code));
    end = found.index + code.length;
  }
  return [...parts, text.slice(end)];
}
