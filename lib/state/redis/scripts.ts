import { BUDGET_TTL_MS, CLAIM_TTL_MS, HANDOVER_AGE_MS, ROBOT_ROW_TTL_MS } from '../lifetimes.ts';
import { MOST_TOLD } from '../told.ts';
import { KEEP_ARRIVAL } from './arrivals.ts';
import { RESERVE } from './budget-scripts.ts';
import { CONTEXT, DESCRIBE, REMEMBER } from './context-parts.ts';
import { DUE, FORMS_OF } from './form-scripts.ts';
import { HELD } from './held-scripts.ts';
import { HOLD, NEWER, OVERDUE_OF, PLACE, STORE_NOW, VERSION } from './script-parts.ts';

/**
 * The scripts that run inside Redis. An instance sends each whole the first time, so that none has to be loaded into a fresh
 * database first. All times are milliseconds; an empty TTL means no expiry. A script that runs twice with the same arguments
 * changes nothing the second time.
 *
 * Keys of one robot, below its prefix: `turn:ID` (a hash), `payload:ID`, `answered:ID` and `reply:ID` (what is left of an
 * answered turn), `conversation:KEY` (a hash), `running:KEY` (the turn that runs), `queue:KEY` (turns that wait), `leases`
 * (running turns by the end of their lease), `held:KEY:GENERATION` (`held-scripts.ts`).
 *
 * All keys that are known before a script runs are passed in KEYS: Upstash locks by these, and may have to read others from
 * its disk. KEYS that are needed only sometimes come last, in the order that is given. `FOUND:` names the keys that a script
 * learns from what it reads. It makes them from the prefix, which is in braces.
 *
 * Two versions of this project may share a store during a deployment. A key or field that one of them writes must mean the
 * same to the other: hence field names such as `claim`, which the rest of the code calls the fence. A change that earlier
 * versions cannot read raises `VERSION` (`script-parts.ts`).
 */

/**
 * KEYS: turn, leases; the row of answers to robots. ARGV: `most` is '' for a person's message, which ends the row, and '-'
 * where there is none. FOUND: turns whose lease has lapsed.
 */
export const CLAIM = `${KEEP_ARRIVAL}${PLACE}${STORE_NOW}${NEWER}${OVERDUE_OF}
local turn, leases, row = unpack(KEYS)
local owner, given, most = unpack(ARGV)
local now = storeNow(given)
local holder = redis.call('HGET', turn, 'acceptedBy')
if not holder then
  redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'done')
  redis.call('PEXPIRE', turn, ${CLAIM_TTL_MS})
  if most == '' then redis.call('DEL', row) end
end
return {(holder or owner) == owner and 1 or 0, overdueOf(prefix, leases, now, ${MOST_TOLD})}`;

/**
 * KEYS: turn, payload, conversation, running, queue, leases, accepted, waiting, forms; the row of answers to robots; the
 * counter of the asker's questions; the forms of the group; the account of the month, what is spent of it, and its steps.
 * ARGV: `limit` is that of the queue, `allowance` the calls of the month, 0 without a budget; `files` says what becomes of
 * held files; `most` is how many answers in a row robots get, or as for `CLAIM`. FOUND: the turns that run and wait in the
 * conversation, its held files, turns whose lease has lapsed, turns whose card shows a form of the group.
 */
export const ACCEPT = `${KEEP_ARRIVAL}${PLACE}${STORE_NOW}${NEWER}${OVERDUE_OF}${CONTEXT}${RESERVE}${HOLD}${HELD}${FORMS_OF}${DUE}
local turn, payload, conversation, running, queue, leases, accepted, waiting, dueAt = unpack(KEYS)
local owner, asker, body, given, lease, ttl, limit, allowance, full, few, last, rate, window, app, files, most, group =
  unpack(ARGV)
local nth = 9
local function next(isThere)
  if not isThere then return '' end
  nth = nth + 1
  return KEYS[nth]
end
local row, counter, groupForms = next(most ~= '-'), next(tonumber(window) > 0), next(group ~= '')
local account = {unpack(KEYS, nth + 1)}
local now = storeNow(given)
local known = redis.call('HMGET', turn, 'acceptedBy', 'state', 'place', 'level', 'reached', 'first', 'changed')
local held, changed = heldOf(prefix, conversation), known[7]
local first = known[6]
if known[1] == owner and known[2] == 'held' then
  -- The files of this message are asked about at once after all.
  release(held, conversation, id)
  known = {}
end
if known[1] == owner and known[2] == 'silent' then return {'silent'} end
if known[1] and (known[1] ~= owner or known[2] == 'done' or known[2] == 'dropped') then return {'duplicate'} end
local state, place, level, reached = known[2], known[3], known[4] or 'full', known[5] or 0
-- A repeat gets the first reply, even if the turn waited and has been started for another owner since.
if state == 'started' and tonumber(place) > 0 then state = 'queued' end
if not known[1] then
  if most == '' then redis.call('DEL', row) end
  if tonumber(most) and tonumber(redis.call('GET', row) or '0') >= tonumber(most) then
    redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'silent')
    redis.call('PEXPIRE', turn, ${CLAIM_TTL_MS})
    redis.call('PEXPIRE', row, ${ROBOT_ROW_TTL_MS})
    return {'silent'}
  end
  first = first or redis.call('HSETNX', conversation, 'met', 1)
  redis.call('SET', accepted, now, 'PX', ${BUDGET_TTL_MS})
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) end
  local current = redis.call('GET', running)
  state, place = 'started', 0
  local asked = 0
  local isUnheld = files == 'need' and redis.call('EXISTS', held) == 0
  if tonumber(rate) > 0 and not isUnheld then
    asked = redis.call('INCR', counter)
    redis.call('PEXPIRE', counter, window)
  end
  if isUnheld then
    state = 'unheld'
    redis.call('HDEL', conversation, 'heldAt')
  elseif asked > tonumber(rate) then
    state = 'limited'
  elseif current and redis.call('HGET', prefix .. 'turn:' .. current, 'state') == 'started' then
    place = 1
    -- A dropped turn stays in the list until it would have been started. It takes no place in line.
    for _, before in ipairs(redis.call('LRANGE', queue, 0, -1)) do
      if redis.call('HGET', prefix .. 'turn:' .. before, 'state') == 'queued' then place = place + 1 end
    end
    state = place > tonumber(limit) and 'full' or 'queued'
  end
  redis.call('HSET', turn, 'acceptedBy', owner, 'owner', owner, 'asker', asker, 'v', ${VERSION},
    'conversation', keyOf(conversation), 'state', state, 'place', place, 'first', first, 'claim', 1, 'hop', 0, 'askedBy', state == 'started' and owner or '',
    'generation', redis.call('HGET', conversation, 'generation') or '')
  if group ~= '' then redis.call('HSET', turn, 'toldOf', group) end
  redis.call('PEXPIRE', turn, ${CLAIM_TTL_MS})
  if state == 'started' or state == 'queued' then
    local whole, count = body, 0
    if files ~= 'leave' then whole, count = takeHeld(held, conversation, body) end
    if whole ~= body then changed = 1 end
    redis.call('SET', payload, whole, 'PX', ${CLAIM_TTL_MS})
    if tonumber(most) then redis.call('INCR', row) redis.call('PEXPIRE', row, ${ROBOT_ROW_TTL_MS}) end
    local calls
    -- The address of each file costs a call.
    level, calls, reached = reserve(account, tonumber(allowance), full + count, few + count, last + count)
    redis.call('HSET', turn, 'level', level, 'reached', reached, 'reserved', calls, 'changed', changed or '',
      'account', account[1] or '')
  end
  if state == 'started' then
    redis.call('SET', running, id, 'PX', ${CLAIM_TTL_MS})
    hold(leases, now + lease, id)
  elseif state == 'queued' then
    redis.call('RPUSH', queue, id)
    redis.call('PEXPIRE', queue, ${CLAIM_TTL_MS})
    redis.call('ZADD', waiting, now, id)
    redis.call('PEXPIRE', waiting, ${CLAIM_TTL_MS})
  end
end
local generation, dify, form, forms = contextOf(conversation, app)
local recorded = changed and changed ~= '' and redis.call('GET', payload) or ''
return {state, generation, dify, form, tonumber(first or 0), tonumber(place),
  redis.call('ZCOUNT', leases, '(' .. now, '+inf'),
  overdueOf(prefix, leases, now, ${MOST_TOLD}), level, tonumber(reached), recorded, forms, formsOf(prefix, groupForms, now),
  dueForms(dueAt, now, ${MOST_TOLD})}`;

/**
 * KEYS: turn, conversation, leases, waiting, queue. An instance may renew a turn that is not running by the record: the store
 * accepted the turn, the reply was lost, and the instance answers it without a record. Such a turn leaves the line, or it
 * would be asked a second time. If it was dropped, only its end is recorded. FOUND: turns that wait in the conversation, turns
 * whose lease has lapsed.
 */
export const RENEW = `${PLACE}${STORE_NOW}${NEWER}${OVERDUE_OF}${REMEMBER}${HOLD}
local turn, conversation, leases, waiting, queue = unpack(KEYS)
local fence, given, lease, progress, generation, dify, ttl, app = unpack(ARGV)
local now = storeNow(given)
local held = redis.call('HMGET', turn, 'claim', 'state', 'stopped', 'acceptedBy', 'asker')
if not held[1] then return {'unknown'} end
local state, stopped = held[2], held[3] or ''
if held[1] ~= fence or state == 'done' then return {'lost'} end
if state == 'queued' then
  redis.call('HSET', turn, 'state', 'started', 'askedBy', held[4])
  redis.call('ZREM', waiting, id)
end
-- The owner that renews a dropped turn ends its card, and then the turn.
if state == 'dropped' then stopped = '1' else redis.call('HSET', turn, 'progress', progress, 'v', ${VERSION}) end
hold(leases, now + lease, id)
remember(conversation, generation, dify, ttl, app)
local behind = 'nothing'
for _, other in ipairs(redis.call('LRANGE', queue, 0, -1)) do
  local next = redis.call('HMGET', prefix .. 'turn:' .. other, 'state', 'asker')
  if next[1] == 'queued' and behind ~= 'asker' then behind = next[2] == held[5] and 'asker' or 'others' end
end
return {'held', redis.call('ZCOUNT', leases, '(' .. now, '+inf'), stopped,
  overdueOf(prefix, leases, now, ${MOST_TOLD}), behind, tonumber(now)}`;

/**
 * KEYS: turn, leases. ARGV: `fence`, `hop` and `sentAt` (when the handover was sent, by the store's time) are empty when the
 * turn is taken only because its lease has lapsed. A turn of a newer version is left to that version. FOUND: payload and
 * conversation of the turn, the forms it is told of.
 */
export const TAKE_OVER = `${PLACE}${STORE_NOW}${NEWER}${HOLD}${DESCRIBE}
local turn, leases = unpack(KEYS)
local owner, given, lease, fence, hop, sentAt, app = unpack(ARGV)
local now = storeNow(given)
if fence ~= '' and math.abs(now - sentAt) > ${HANDOVER_AGE_MS} then return {'late'} end
local held = redis.call('HMGET', turn, 'state', 'owner', 'claim')
if held[1] == 'dropped' and fence == '' then
  local lapses = redis.call('ZSCORE', leases, id)
  if not lapses then return {'gone'} end
  if held[2] ~= owner then
    if tonumber(lapses) > tonumber(now) then return {'held'} end
    redis.call('HSET', turn, 'owner', owner)
    hold(leases, now + lease, id)
  end
  return {'dropped'}
end
if held[1] ~= 'started' then
  redis.call('ZREM', leases, id)
  return {'gone'}
end
if held[2] ~= owner then
  local lapses = redis.call('ZSCORE', leases, id) or '0'
  if isNewer(turn) and (fence ~= '' or lapses + LEFT_MS > tonumber(now)) then return {'held'} end
  if fence ~= '' then
    if held[3] ~= fence then return {'gone'} end
    redis.call('HSET', turn, 'hop', hop)
  elseif tonumber(lapses) > tonumber(now) then
    return {'held'}
  end
  redis.call('HSET', turn, 'owner', owner)
  redis.call('HINCRBY', turn, 'claim', 1)
  hold(leases, now + lease, id)
end
local described = describe(prefix, id, owner, app, now)
if described[4] == '0' then redis.call('HSET', turn, 'askedBy', owner) end
return {'taken', described}`;

/** KEYS: leases. FOUND: turns whose lease has lapsed. */
export const OVERDUE = `${KEEP_ARRIVAL}${STORE_NOW}${NEWER}${OVERDUE_OF}
local given, limit = unpack(ARGV)
return overdueOf(string.match(KEYS[1], '^(.*}:)leases$'), KEYS[1], storeNow(given), tonumber(limit))`;
