/** @type {typeof import('./tour-zh.js').tourZh} */
export const tourEn = {
  open: 'Tour',
  openLabel: 'Tour: what happens on one message',
  offer: 'See what happens on one message',
  question: 'Show the travel allowances in a table',
  progress: (step, steps) => `Tour · ${step} / ${steps}`,
  back: 'Back',
  next: 'Next',
  done: 'Done',
  close: 'Close the tour',
  keys: '← → turn pages · Esc closes',
  noCard: 'No card was used this time (see the switches that are on under Switches), so some numbers are missing.',
  trouble: (label) => `Trouble switch: ${label}`,
  steps: {
    ack: {
      title: 'A signed callback, acknowledged at once',
      text: 'DingTalk posts the question with a signature in its headers. The function checks it, puts the question on record with one store round trip, and answers 200. All the rest happens in the background.',
      numbers: { ack: 'Acknowledged in', accept: 'of that the store’s accept' },
    },
    open: {
      title: 'The card opens while Dify is asked',
      text: 'Delivering the card and asking Dify begin together; neither waits for the other. By the first word the card is usually in the chat already.',
      numbers: { card: 'createAndDeliver', dify: 'Dify asked', firstByte: 'Dify’s first byte' },
    },
    frames: {
      title: 'Frames and their budget',
      text: 'Each frame is one counted call and carries the whole text so far. The pace of updates limits how many there are; the free edition has 5,000 calls a month.',
      numbers: { frames: 'Frames', calls: 'Calls used', answers: 'Answers a month at this rate' },
      ofMonth: (calls) => `${calls} of 5,000`,
    },
    typing: {
      title: 'Progress and the typewriter',
      text: 'The first words are a frame at once; later frames come at longer and longer intervals. In between DingTalk types by itself, so it still looks steady. Unfinished markdown is held back.',
      numbers: { first: 'First words', gap: 'Longest gap of frames', characters: 'Length of the answer' },
    },
    final: {
      title: 'The final frame',
      text: 'The last frame has isFinalize and the whole answer, and the card turns to done. A frame in between may be lost; this one is repeated until it is shown.',
      numbers: { number: 'Frame', at: 'Shown at', size: 'Its length' },
    },
    store: {
      title: 'What the store keeps, and what is erased',
      text: 'While it runs, the question, the progress and a lease are on record. The one round trip of finish erases the texts of question and answer. What stays is the id of Dify’s conversation and a receipt without content, for the buttons.',
      numbers: { requests: 'Store requests', names: 'Operations', erased: 'Texts erased at' },
    },
    reference: {
      title: 'The reference in the log',
      text: 'Each log line of this answer has the same reference. It is what a user sees when something fails: find the line, read its code, look it up in docs/operations.md. The log has no texts of people and no ids of theirs.',
      numbers: { reference: 'Reference', lines: 'Log lines', tokens: 'Tokens used' },
    },
    death: {
      title: 'What if the function is killed?',
      text: 'When the lease lapses, the next question or a sweep takes over and looks at what Dify has, by the ids on record. Only a chatbot or a text generation, which keep nothing, is asked once more. “Kill the function” shows it: the card stands still for half a minute, then it goes on.',
      numbers: { lease: 'Lease', took: 'This answer took', run: 'Task at Dify' },
    },
  },
};
