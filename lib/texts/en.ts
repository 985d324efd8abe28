import { form, kindsOf } from './form-en.ts';
import type { Texts } from './texts.ts';
import { roundedUp } from './times.ts';

/** What a message holds and could not be fetched. */
const LEFT_OUT_WORDS: Readonly<Record<string, string>> = {
  picture: 'picture',
  audio: 'voice message',
  video: 'video',
  file: 'file',
  record: 'nested chat record',
  message: 'message',
};

function within(ms: number): string {
  const [count, unit] = roundedUp(ms);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

export const en: Texts = {
  help: [
    '**Just ask, or send one of these:**',
    '',
    '- `/new`: start a new conversation without what was said before',
    '- `/stop`: stop the answer that is being written and drop the questions that wait',
    '- `/help`: show this text',
    '- `/id`: show your staff ID and the chat ID, for an administrator',
    '',
    'In a single chat you can send a picture or file first and ask about it with your next message. In a group, mention me with @ first. To ask about a file there, quote the file and mention me, or send the file and the mention in one message.',
  ].join('\n'),
  newConversation: 'A new conversation has started without what was said before. Go ahead and ask.',
  heldDropped: (count) =>
    count === 1
      ? 'The file that you sent and did not ask about has been dropped, too.'
      : `The ${count} files that you sent and did not ask about have been dropped, too.`,
  ids: ({ staffId, chatId, isGroup }) =>
    [
      `- Staff ID: ${staffId ? `\`${staffId}\`` : 'none (external member, or the app is not published yet)'}`,
      `- ${isGroup ? 'Group' : 'Chat'} ID: \`${chatId}\``,
    ].join('\n'),
  emptyQuestion: 'I did not find a question. Write it in your message (in a group, mention me first), or send /help.',
  askAbout: {
    picture: 'Please look at this picture.',
    audio: 'Please listen to this voice message.',
    video: 'Please watch this video.',
    file: 'Please read this file.',
    record: 'Please read this chat record.',
  },
  askAboutAll: 'Please look at these files.',
  held: ({ pictures, videos, files }, link) => {
    const several = (count: number, name: string) => (count === 0 ? [] : [`${count} ${name}${count === 1 ? '' : 's'}`]);
    const counted = [...several(pictures, 'picture'), ...several(videos, 'video'), ...several(files, 'file')];
    return `Received ${counted.join(', ')}. What would you like to know? Just ask, or tap “${link}”`;
  },
  look: 'Have a look',
  mostHeld: (most, link) =>
    `At most ${most} files can wait; the rest were not kept. Ask about these first, or tap “${link}”`,
  nothingHeld: 'No file is waiting: it has been asked about already, or 15 minutes have passed. Please send it again.',
  unsupported: 'I cannot handle this kind of message. Please ask in words.',
  sharedDocument: 'I cannot open DingTalk documents. Please download it and send me the file, or copy its text.',
  quoteProblems: {
    unread: '(The quoted message could not be read. Please copy its content and ask again.)',
    file: '(The quoted file could not be fetched: DingTalk did not pass it on. Please send me the file in a single chat, or send it with the mention in one message.)',
    document:
      '(I cannot open the quoted DingTalk document. Please download it and send me the file, or copy its text.)',
    record: '(The forwarded chat record could not be read. Please copy its content and ask again.)',
  },
  leftOutOfMessage: (leftOut) =>
    `(Not fetched: ${Object.entries(leftOut)
      .map(([kind, count]) => `${count} ${LEFT_OUT_WORDS[kind] ?? kind}${count === 1 ? '' : 's'}`)
      .join(', ')}. Please send them by themselves if they matter.)`,
  refused:
    'You do not have permission to use this robot. Please ask an administrator. /id shows the IDs to give them (in a group, mention me and send it).',
  emptyAnswer: '(Nothing was generated this time. Please rephrase your question.)',
  emptyRun: '(Done; there is no text result.)',
  onlyFiles: '(The answer is files; see the messages below.)',
  conversationGone: '(The earlier conversation is gone; a new one begins with this answer.)',
  stopped: '(stopped)',
  paused: '⏳ Waiting for a person: the workflow goes on after that.',
  incomplete: (reference) =>
    `⚠️ The connection broke, and the text above may be incomplete. Please ask again, and give reference ${reference} to an administrator if it keeps happening.`,
  unfinished: (sentence) => `The answer is not complete. ${sentence}`,
  goOn: '▶️ Continue',
  goOnWord: 'Continue',
  goOnByWord: 'Mention me and send "Continue" to have it written on.',
  continuesBelow: '(continued in the messages below)',
  answeredBelow: '(The answer is in the messages below.)',
  leftOut: (characters) =>
    `(${characters} more characters are not shown. Ask for the answer in parts, or narrow the question.)`,
  unsafe: "(This answer did not pass DingTalk's content check and cannot be shown. Please rephrase your question.)",
  sources: (documents) =>
    `**Sources**: ${documents.map(({ name, passages }) => (passages > 1 ? `${name} (${passages} passages)` : name)).join(', ')}`,
  progress: {
    node: (name) => `⏳ Running: ${name}`,
    tool: (name, labels) => `🔧 Using a tool: ${labels?.en ?? name}`,
    thinking: '💭 Thinking…',
    queued: '⏳ Dify is busy. Your question is waiting there and will be answered here.',
    writing: '✍️ The answer is being written.',
    unseen: '⏳ The AI app is at work. Its steps cannot be seen so far; the answer will come here.',
  },
  form,
  thinking: 'Thinking',
  continuing: '⏳ Still being written; it will be completed here …',
  queued: (place) =>
    `⏳ Received. ${place === 1 ? '1 question is' : `${place} questions are`} ahead of yours; the answer will come here.`,
  working: (question) => `⏳ Working on “${question}”. The answer will come here.`,
  stillWorking: (question) => `⏳ Still working on “${question}”.`,
  answered: (question) => `✅ Your question “${question}” has been answered: see the card above.`,
  notAnswered: (question) =>
    `⚠️ Your question “${question}” could not be answered in full: the card above says why and what to do.`,
  // China requires the label in Chinese.
  aiLabel: 'Generated by AI · 内容由 AI 生成',
  monthReached: (percent) =>
    `${percent} % of this month's DingTalk calls are used. ${percent >= 100 ? 'Answers come as plain messages until next month.' : percent >= 95 ? 'Cards are updated once from now on.' : 'Cards are updated less often from now on.'}`,
  rateLimited: (questions, againInMs) =>
    `You have reached the limit of ${questions} question${questions === 1 ? '' : 's'}. You can ask again in ${within(againInMs)}.`,
  queueFull:
    'Too many questions are waiting (at most 5 can). Please wait for an answer and ask again, or send /stop to drop them (in a group, mention me).',
  stop: '⏹ Stop',
  stopWord: '/stop',
  stopByWord: 'To stop, mention me and send /stop.',
  stopping: 'Stopping.',
  nothingToStop: 'No answer is being written right now.',
  notices: {
    received: 'Received.',
    stopRequested: 'Asked to stop.',
    already: 'This has been done already.',
    notYours: 'Only the one who asked can use this button.',
    notYet: 'The answer is not complete yet.',
    cardUnknown: 'This card is too old. Please ask again.',
    unknownButton: 'This button does nothing. Please ask an administrator to check the card template.',
    retryExpired: 'This question is no longer on record. Please ask again.',
    noFeedback: 'This AI app takes no ratings.',
    notRated: 'Your rating did not get through. Please try again later.',
    rated: (rating) => (rating === null ? 'Your rating is withdrawn.' : 'Thank you for rating.'),
    noReason: 'Please choose a reason, or write what is missing.',
    reasonTaken: 'Your reason is noted. Thank you.',
  },
  whoAsked: 'the person who asked',
  reasons: { wrong: 'Wrong', incomplete: 'Incomplete', outdated: 'Outdated', other: 'Other' },
  reference: (reference) => ` (reference ${reference})`,
  failures: {
    dify_unreachable:
      'The AI service cannot be reached. Try again later; if it persists, an administrator should check the Dify address and network.',
    dify_timeout: 'The AI service did not respond in time. Please try again later.',
    dify_unauthorized: "The AI app's key is not valid. Please ask an administrator to renew the Dify API key.",
    dify_forbidden: 'The AI app is disabled or closed to the API. Please ask an administrator to enable it in Dify.',
    dify_busy: 'Too many people are asking right now. Please try again in a minute.',
    dify_quota: "The AI service's quota is used up. Please tell an administrator.",
    dify_model_not_ready: "The AI app's model is not set up. Please ask an administrator to check it in Dify.",
    dify_model_failed: 'The model call failed. Try again later; if it persists, tell an administrator.',
    dify_model_busy: 'The model service is busy right now. Please try again in a minute.',
    dify_model_account:
      "The model service does not accept the app's key, or its balance is used up. Please tell an administrator.",
    dify_model_cut:
      'The model broke off in the middle; the text above is incomplete. Ask again; if it persists, an administrator should check the model provider.',
    dify_context_too_long:
      'This is longer than the model can handle. Send /new to start a new conversation (in a group, mention me), or shorten the question.',
    dify_content_refused: 'The model service refused this content. Please rephrase your question.',
    dify_rejected:
      'The AI app did not accept this question. Please rephrase it; if it persists, tell an administrator.',
    dify_input_missing:
      'The AI app lacks an input that it requires. Please ask an administrator to complete DIFY_INPUTS.',
    dify_input_invalid:
      'The AI app does not take the value of an input. Please ask an administrator to check DIFY_INPUTS.',
    dify_app_unavailable:
      'The AI app cannot be used yet. Please ask an administrator to check its settings and publication in Dify.',
    dify_server_error:
      "The AI service failed. Try again later; if it persists, an administrator should check the app's model and Dify's logs.",
    dify_run_failed: "The workflow failed. Try again later; if it persists, an administrator should check Dify's logs.",
    dify_not_a_stream:
      'The AI service sent something unexpected. Please ask an administrator to check the Dify address.',
    dify_not_started:
      "The AI service did not begin to answer. Try again later; if it persists, an administrator should check Dify's workers.",
    dify_stalled: 'The AI service stopped responding midway. Please try again later.',
    dify_cut: 'The connection to the AI service broke before an answer came. Please ask again.',
    out_of_time: 'This question took longer than allowed. Please narrow it and try again.',
    interrupted: 'The service is restarting, so this answer was not finished. Please ask again in a minute.',
    answer_lost: 'The service was interrupted and the answer was lost. Please ask again.',
    file_not_accepted: 'This AI app does not accept files of this kind. Please ask in words.',
    file_too_large: 'The file is too large. Please make it smaller or split it.',
    file_wrong_type:
      "The file's content does not match its type. Please save it in the right format and send it again.",
    file_unavailable: 'The file could not be fetched from DingTalk. Please send it again.',
    file_expired: 'The file that you sent before can no longer be used. To ask about it, send it again first.',
    file_address_refused: 'The file could not be fetched. Please send it again; if it persists, tell an administrator.',
    file_upload_failed: 'The AI service did not take the file. Try again later, or use another format.',
    speech_unclear: 'No words were recognised in this voice message. Please say it again or type your question.',
    form_closed: 'This form has been answered already; nothing more is needed.',
    form_expired: 'This form has expired. Please ask again.',
    form_invalid: 'The form is incomplete or has a wrong value. Please fill it in again as shown.',
    store_unavailable: 'The conversation record cannot be updated right now. Please try again later.',
    internal: 'Something unexpected went wrong. Please try again.',
  },
  toldAdmins: {
    dify_quota: "The AI service's quota is used up, so it cannot answer now. An administrator has been told.",
    dify_model_not_ready: "The AI app's model is not set up, so it cannot answer now. An administrator has been told.",
    dify_model_account:
      "The model service does not accept the app's key, or its balance is used up, so it cannot answer now. An administrator has been told.",
  },
  adminNotice: {
    dify_quota: 'The quota of Dify or of the model provider is used up. Raise it, or change the model.',
    dify_model_not_ready:
      "The app's model cannot be used. Check in Dify which model the app has, and the credentials of its provider.",
    dify_model_account: 'The model provider refuses the calls. Check its key and its balance.',
  },
  adminNoticeOf: ({ robot, notice, reference }) =>
    `⚠️ The robot${robot === null ? '' : ` ${robot}`} cannot answer now: ${notice} Reference ${reference}. You get this message at most once an hour.`,
  suggestions: 'Ask next',
  suggestionsToType: 'Ask next (mention me and type)',
  examples: 'You can ask',
  examplesToType: 'You can ask (mention me and type)',
  unnamedFile: 'a file without a name',
  filesNotSent: (names) =>
    `⚠️ These files could not be sent: ${names.join(', ')}. Ask again; if it persists, tell an administrator.`,
  filesLeftOut: (count) => `(${count === 1 ? '1 more file was' : `${count} more files were`} not sent.)`,
  retry: '🔄 Try again',
  startAnew: '🆕 New conversation',
  newWord: '/new',
  acceptedFiles: (kinds) => `This AI app does not accept files of this kind. You can send: ${kindsOf(kinds)}.`,
  missingInputs: (names) =>
    `The AI app lacks inputs that it requires: ${names}. Please ask an administrator to complete DIFY_INPUTS.`,
  inputTooLong: (input, maxChars, chars) =>
    `"${input}" takes at most ${maxChars} characters; this time there are ${chars}. Please ask with fewer words.`,
  inputNotOffered: (input, options) =>
    `"${input}" must be one of: ${options}. Please ask an administrator to check DIFY_INPUTS.`,
  inputOfWrongType: (input) =>
    `"${input}" does not take this kind of value. Please ask an administrator to check DIFY_INPUTS.`,
  fileTooLarge: (megabytes) => `The file is larger than ${megabytes} MB. Please make it smaller or split it.`,
  missingFiles: (names) => `This AI app needs a file: ${names}. Send one, or quote one with your question.`,
  mostFiles: (most) =>
    `This AI app takes ${most === 1 ? 'one file' : `${most} files`} at a time. Please send fewer, or one after another.`,
  markdown: { image: 'image', chart: 'chart', media: 'media' },
  messageTitle: 'Answer',
  questionOf: (name, question) => `${name}: ${question}`,
  answering: (question) => `Answering: ${question}`,
};
