import { RECEIPT_TTL_MS } from '../lifetimes.ts';
import { DUE_AGAIN_MS, MOST_GROUP_FORMS } from '../told.ts';
import { PLACE, STORE_NOW } from './script-parts.ts';

// What scripts do about forms that wait for a person. See `scripts.ts`. Below the prefix: `forms` (turns whose card shows a
// form, by the end of its time), `forms-of:GROUP` (those of one group).

/** The receipts of the turns whose cards show the waiting forms of a group, the newest first. */
export const FORMS_OF = `
local function formsOf(prefix, groupForms, now)
  local receipts = {}
  if groupForms == '' then return receipts end
  local ids = redis.call('ZREVRANGEBYSCORE', groupForms, '+inf', now, 'LIMIT', 0, ${MOST_GROUP_FORMS})
  for _, id in ipairs(ids) do
    local receipt = redis.call('HGET', prefix .. 'turn:' .. id, 'receipt')
    if receipt then table.insert(receipts, receipt) end
  end
  return receipts
end`;

/** Turns whose card shows a form of which the time is over. */
export const DUE = `
local function dueForms(dueAt, now, limit)
  local ids = redis.call('ZRANGEBYSCORE', dueAt, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do redis.call('ZADD', dueAt, tonumber(now) + ${DUE_AGAIN_MS}, id) end
  return ids
end`;

/** A form waits, or waits no more. */
export const WAITS = `
local function endWait(prefix, dueAt, turn)
  local id = string.sub(turn, #prefix + #'turn:' + 1)
  redis.call('ZREM', dueAt, id)
  local group = redis.call('HGET', turn, 'formsOf')
  if group then redis.call('ZREM', prefix .. 'forms-of:' .. group, id) end
end
local function wait(turn, id, dueAt, untilMs, group, groupForms)
  redis.call('ZADD', dueAt, untilMs, id)
  redis.call('PEXPIRE', dueAt, ${RECEIPT_TTL_MS})
  if group == '' then return end
  redis.call('HSET', turn, 'formsOf', group)
  redis.call('ZADD', groupForms, untilMs, id)
  redis.call('PEXPIRE', groupForms, ${RECEIPT_TTL_MS})
end`;

/** KEYS: forms. */
export const DUE_FORMS = `${STORE_NOW}${DUE}
local given, limit = unpack(ARGV)
return dueForms(KEYS[1], storeNow(given), limit)`;

/** KEYS: turn, forms. ARGV: until when; '' ends the wait. FOUND: the forms of the group. */
export const POSTPONE_FORM = `${PLACE}${WAITS}
local turn, dueAt = unpack(KEYS)
if ARGV[1] == '' then endWait(prefix, dueAt, turn) else redis.call('ZADD', dueAt, 'XX', ARGV[1], id) end
return 1`;
