import { en } from './words/en.js';
import { zh } from './words/zh.js';

/**
 * What this browser remembers: language, light or dark, and where one was. The server knows nothing of it.
 *
 * @typedef {'zh' | 'en'} Language
 * @typedef {typeof zh} Words
 */

/**
 * @param {string} key
 * @returns {string | null}
 */
export function recall(key) {
  try {
    return localStorage.getItem(`playground.${key}`);
  } catch {
    return null; // storage is switched off
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function keep(key, value) {
  try {
    localStorage.setItem(`playground.${key}`, value);
  } catch {
    // Then it holds until the next reload.
  }
}

/** @returns {Language} */
export function preferredLanguage() {
  const kept = recall('language');
  if (kept === 'zh' || kept === 'en') return kept;
  return navigator.languages.some((name) => name.toLowerCase().startsWith('zh')) ? 'zh' : 'en';
}

/**
 * @param {Language} language
 * @returns {Words}
 */
export function wordsOf(language) {
  return language === 'zh' ? zh : en;
}

export function isDark() {
  const kept = recall('theme');
  return kept ? kept === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Applies what was chosen; without a choice the system decides, also when it changes. */
export function applyTheme() {
  const kept = recall('theme');
  if (kept) document.documentElement.dataset.theme = kept;
  else delete document.documentElement.dataset.theme;
}

export const prefersLessMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
