import { isRecord, isText, isTextList, parseJson, textMapOf, type Json } from '../http/shape.ts';
import { accept, blame, refuse, type Answer } from './answer.ts';
import { holdsUnsafeWord } from './content-check.ts';
import { mediaOf, unknownPicture, type ShownMedia } from './message-media.ts';
import type { SimulatedMessage } from './types.ts';
import type { World } from './world.ts';

/** protocol 7: which fields each msgKey needs in its msgParam. */
const messageKeys: Record<string, string[]> = {
  sampleText: ['content'],
  sampleMarkdown: ['title', 'text'],
  sampleImageMsg: ['photoURL'],
  sampleLink: ['title', 'text', 'picUrl', 'messageUrl'],
  sampleActionCard: ['title', 'text', 'singleTitle', 'singleURL'],
  sampleActionCard2: ['title', 'text', 'actionTitle1', 'actionURL1', 'actionTitle2', 'actionURL2'],
  sampleActionCard6: ['title', 'text', 'buttonTitle1', 'buttonUrl1', 'buttonTitle2', 'buttonUrl2'],
  sampleAudio: ['mediaId', 'duration'],
  sampleFile: ['mediaId', 'fileName', 'fileType'],
  sampleVideo: ['duration', 'videoMediaId', 'videoType', 'picMediaId'],
};

const kinds: Record<string, string> = { sampleText: 'text', sampleMarkdown: 'markdown' };

interface RobotMessage {
  key: string;
  param: Json;
  /** The file or picture that it consists of, if any. */
  shown: ShownMedia;
}

/** Messages not tied to a session (protocol 7). Neither form can mention people. */
export function createRobotMessages(world: World) {
  const read = (body: Json): RobotMessage | Answer => {
    if (body['robotCode'] !== world.robotCode)
      return blame(400, 'invalidParameter.robotCode.notExist', "robotCode must be the app's robot code");
    const { msgKey: key, msgParam } = body;
    const fields = typeof key === 'string' ? messageKeys[key] : undefined;
    if (typeof key !== 'string' || !fields) return blame(400, 'invalidParameter.msgKey', 'msgKey is not known');
    if (!isText(msgParam)) return blame(400, 'invalidParameter.msgParam', 'msgParam must be a JSON string');
    if (Buffer.byteLength(msgParam) > 15_000)
      return blame(400, 'invalidParameter.msgParam.tooLong', 'msgParam has more than 15,000 bytes');
    const param = parseJson(msgParam);
    const missing = isRecord(param) ? fields.find((name) => !isText(param[name])) : 'JSON object';
    if (!isRecord(param) || missing !== undefined)
      return blame(400, 'invalidParameter.msgParam', `msgParam needs ${missing} for ${key}`);
    if (holdsUnsafeWord(world.settings, Object.values(textMapOf(param))))
      return refuse(400, 'contain.notAllowed.content', 'the content is not allowed');
    const shown = mediaOf(world, key, param);
    if (typeof shown === 'string') return blame(400, 'invalidParameter.msgParam', shown);
    return { key, param, shown };
  };

  const post = (conversationId: string, { key, param, shown }: RobotMessage) => {
    const text = param['text'] ?? param['content'];
    const message: SimulatedMessage = {
      id: world.createId(),
      at: world.clock.now(),
      channel: 'robot',
      kind: kinds[key] ?? key,
      conversationId,
      title: typeof param['title'] === 'string' ? param['title'] : null,
      text: typeof text === 'string' ? text : '',
      mentions: [],
      mentionsAll: false,
      ...shown,
      raw: param,
    };
    world.messages.push(message);
    world.emit({ type: 'message', message });
  };

  const accepted = ({ key, param }: RobotMessage, body: Json): Answer => {
    const violation = key === 'sampleMarkdown' ? unknownPicture(world, String(param['text'])) : undefined;
    return { ...accept(body), ...(violation === undefined ? {} : { violation }) };
  };

  /** POST /v1.0/robot/oToMessages/batchSend */
  const sendToPeople = (body: Json): Answer => {
    const reading = read(body);
    if ('status' in reading) return reading;
    const { userIds } = body;
    if (!isTextList(userIds) || userIds.length === 0 || userIds.length > 20)
      return blame(400, 'invalidParameter.userIds', 'userIds must hold 1 to 20 user ids');
    const known = userIds.map((id) => world.settings.people.find(({ staffId }) => staffId === id));
    for (const person of known) if (person) post(world.singleConversation(person), reading);
    return accepted(reading, {
      processQueryKey: world.createId(),
      invalidStaffIdList: userIds.filter((_, index) => !known[index]),
      flowControlledStaffIdList: [],
    });
  };

  /** POST /v1.0/robot/groupMessages/send */
  const sendToGroup = (body: Json): Answer => {
    const reading = read(body);
    if ('status' in reading) return reading;
    const { openConversationId: id } = body;
    if (!isText(id) || !world.findGroup(id))
      return blame(400, 'invalidParameter.openConversationId', 'the robot is not in such a group');
    post(id, reading);
    return accepted(reading, { processQueryKey: world.createId() });
  };

  return { sendToPeople, sendToGroup };
}
