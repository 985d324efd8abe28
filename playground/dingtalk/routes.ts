import type { Json } from '../http/shape.ts';
import type { Answer } from './answer.ts';
import { createCards } from './create-card.ts';
import { createFileHost, isFilePath, type FileRequest } from './file-host.ts';
import { createRobotMessages } from './robot-message.ts';
import { createSessionReplies, type SessionRequest } from './session-reply.ts';
import { createCardStreaming, type StreamingContext } from './stream-card.ts';
import type { DingTalkApi, Permission } from './types.ts';
import { createMediaUploads, type UploadRequest } from './upload-media.ts';
import { createCardUpdates } from './update-card.ts';
import type { Gateway } from './gateway.ts';
import type { World } from './world.ts';

export interface ApiRequest extends SessionRequest, StreamingContext, FileRequest, UploadRequest {}

export interface Route {
  api: DingTalkApi;
  method: string;
  path: string | ((path: string) => boolean);
  /** Whether the gateway wants a token and counts the call; with the permission it asks for. */
  guard: 'token' | 'tokenInAddress' | 'rate' | 'none';
  permission?: Permission;
  /** Called on arrival. Holds something for as long as the request is in flight, or refuses it. */
  enter?(body: Json): Answer | (() => void);
  handle(body: Json, request: ApiRequest): Answer | Promise<Answer>;
}

export function createRoutes(world: World, gateway: Gateway, origin: () => string): Route[] {
  const cards = createCards(world);
  const streaming = createCardStreaming(world);
  const updates = createCardUpdates(world);
  const robot = createRobotMessages(world);
  const sendBySession = createSessionReplies(world);
  const files = createFileHost(world, origin);
  const uploadMedia = createMediaUploads(world);
  return [
    {
      api: 'accessToken',
      method: 'POST',
      path: '/v1.0/oauth2/accessToken',
      guard: 'rate', // protocol 3: token calls do not count for the month
      handle: (body) => gateway.issueToken(body),
    },
    {
      api: 'createAndDeliver',
      method: 'POST',
      path: '/v1.0/card/instances/createAndDeliver',
      guard: 'token',
      permission: 'Card.Instance.Write',
      handle: cards.createAndDeliver,
    },
    {
      api: 'deliver',
      method: 'POST',
      path: '/v1.0/card/instances/deliver',
      guard: 'token',
      permission: 'Card.Instance.Write',
      handle: cards.deliver,
    },
    {
      api: 'streaming',
      method: 'PUT',
      path: '/v1.0/card/streaming',
      guard: 'token',
      permission: 'Card.Streaming.Write',
      enter: streaming.enter,
      handle: streaming.stream,
    },
    {
      api: 'updateCard',
      method: 'PUT',
      path: '/v1.0/card/instances',
      guard: 'token',
      permission: 'Card.Instance.Write',
      handle: updates.update,
    },
    {
      api: 'registerCallback',
      method: 'POST',
      path: '/v1.0/card/callbacks/register',
      guard: 'token',
      permission: 'Card.Instance.Write',
      handle: updates.registerCallback,
    },
    {
      api: 'sendToPeople',
      method: 'POST',
      path: '/v1.0/robot/oToMessages/batchSend',
      guard: 'token',
      permission: 'qyapi_robot_sendmsg',
      handle: robot.sendToPeople,
    },
    {
      api: 'sendToGroup',
      method: 'POST',
      path: '/v1.0/robot/groupMessages/send',
      guard: 'token',
      permission: 'qyapi_robot_sendmsg',
      handle: robot.sendToGroup,
    },
    {
      api: 'downloadFile',
      method: 'POST',
      path: '/v1.0/robot/messageFiles/download',
      guard: 'token',
      permission: 'qyapi_robot_sendmsg',
      handle: files.giveAddress,
    },
    {
      api: 'fileHost',
      method: 'GET',
      path: isFilePath,
      guard: 'none', // the address is signed
      handle: (_body, request) => files.serve(request),
    },
    {
      api: 'uploadMedia',
      method: 'POST',
      path: '/media/upload',
      guard: 'tokenInAddress',
      permission: 'qyapi_base',
      handle: (_body, request) => uploadMedia(request),
    },
    {
      api: 'sendBySession',
      method: 'POST',
      path: '/robot/sendBySession',
      guard: 'none', // protocol 2: no token; counted in another allowance (webhook and stream)
      handle: (_body, request) => sendBySession(request),
    },
  ];
}
