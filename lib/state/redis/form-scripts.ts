import type { FormChange } from '../state.ts';

// What scripts do about forms that wait for a person. See `scripts.ts`. Below the prefix: `forms` (turns whose card shows a
// form, by the end of its time), `forms-of:GROUP` (those of one group).

/** The receipts of the turns whose cards show the waiting forms of a group, the newest first. */
export const FORMS_OF = `
local function formsOf(prefix, group, now)
  local receipts = {}
  if group == '' then return receipts end
  local ids = redis.call('ZREVRANGEBYSCORE', prefix .. 'forms-of:' .. group, '+inf', now, 'LIMIT', 0, 10)
  for _, id in ipairs(ids) do
    local receipt = redis.call('HGET', prefix .. 'turn:' .. id, 'receipt')
    if receipt then table.insert(receipts, receipt) end
  end
  return receipts
end`;

/** Turns whose card shows a form of which the time is over. An instance that is told of one has a minute for it. */
export const DUE = `
local function dueForms(prefix, now, limit)
  local ids = redis.call('ZRANGEBYSCORE', prefix .. 'forms', '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do redis.call('ZADD', prefix .. 'forms', tonumber(now) + 60000, id) end
  return ids
end`;

/** A form waits, or waits no more. */
export const WAITS = `
local function endWait(prefix, id)
  redis.call('ZREM', prefix .. 'forms', id)
  local group = redis.call('HGET', prefix .. 'turn:' .. id, 'formsOf')
  if group then redis.call('ZREM', prefix .. 'forms-of:' .. group, id) end
end
local function wait(prefix, id, untilMs, group, keep)
  redis.call('ZADD', prefix .. 'forms', untilMs, id)
  redis.call('PEXPIRE', prefix .. 'forms', keep)
  if group == '' then return end
  redis.call('HSET', prefix .. 'turn:' .. id, 'formsOf', group)
  redis.call('ZADD', prefix .. 'forms-of:' .. group, untilMs, id)
  redis.call('PEXPIRE', prefix .. 'forms-of:' .. group, keep)
end`;

/** KEYS: forms. ARGV: prefix, now, limit. */
export const DUE_FORMS = `${DUE}
return dueForms(unpack(ARGV))`;

/** KEYS: forms. ARGV: prefix, turn, until when; '' ends the wait. */
export const POSTPONE_FORM = `${WAITS}
local prefix, id, untilMs = unpack(ARGV)
if untilMs == '' then endWait(prefix, id) else redis.call('ZADD', KEYS[1], 'XX', untilMs, id) end
return 1`;

/** What `FINISH` takes for a change of the newest form: '' to keep it, '-' to forget it, or the form. */
export const formArgument = (change: FormChange): string => (change.kind === 'keep' ? '' : (change.newest ?? '-'));
