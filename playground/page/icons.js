/** Paths of the icons, drawn for this page. */
export const icons = {
  send: 'M4 12l16-8-5 17-4-7-7-2zM11 14l9-10',
  again: 'M20 12a8 8 0 1 1-2.5-5.8M20 3v4h-4',
  sun: 'M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM12 2v2M12 20v2M4 4l1.5 1.5M18.5 18.5L20 20M2 12h2M20 12h2M4 20l1.5-1.5M18.5 5.5L20 4',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z',
  check: 'M5 13l4.5 4.5L19 7',
  cross: 'M6 6l12 12M18 6L6 18',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  chats: 'M4 5h12v9H9l-5 4zM19 9v11l-4-3h-4',
  chat: 'M4 5h16v11h-9l-5 4v-4H4z',
  panel: 'M4 19V9M10 19V5M16 19v-8M22 19H2',
  warn: 'M12 4l9 16H3zM12 10v4M12 17v.5',
  details: 'M4 19V9M10 19V5M16 19v-8',
  spark: 'M12 3l2.2 6.3L20.5 12l-6.3 2.7L12 21l-2.2-6.3L3.5 12l6.3-2.7z',
};
