import { refuse, sessionAnswer, type Answer } from './answer.ts';
import type { DingTalkApi, DingTalkFaultEffect } from './types.ts';

/** The refusal an injected fault stands for; undefined when the fault is about the connection. */
export function faultAnswer(fault: DingTalkFaultEffect, api: DingTalkApi): Answer | undefined {
  switch (fault.kind) {
    case 'status':
      return counted(refuse(fault.status, fault.code ?? 'unknownError', fault.message ?? 'injected'));
    case 'qps':
      // protocol 2: this interface has limits and codes of its own.
      if (api === 'sendBySession') return sessionAnswer(130101, 'send too fast, exceed 20 times per minute');
      return counted(refuse(403, 'Forbidden.AccessDenied.QpsLimitForAppkeyAndApi', '应用调用该接口的QPS超过限制'));
    case 'too-many-requests':
      return counted(refuse(429, 'Throttling', 'too many requests'));
    case 'busy':
      return counted(refuse(500, 'system.busy', 'system busy'));
    case 'gateway-timeout':
      return counted(refuse(504, 'ServiceTimeout', 'gateway timeout'));
    case 'errcode':
      return sessionAnswer(fault.errcode, fault.errmsg ?? 'injected');
    case 'hang':
    case 'reset':
    case 'lost-response':
    case 'slow':
      return undefined;
    default:
      return fault satisfies never;
  }
}

/** protocol 5.1: calls that fail on a rate limit or on the network do not use up the month. */
function counted(answer: Answer): Answer {
  const free = answer.status === 429 || answer.status === 504 || /(Qps|Qpm|ApiCount)/u.test(answer.code);
  return { ...answer, counted: !free };
}
