import {
  BUDGET_TTL_MS,
  CLAIM_TTL_MS,
  FAILED_TTL_MS,
  FAILURES_TTL_MS,
  HANDOVER_AGE_MS,
  RECEIPT_TTL_MS,
  ROBOT_ROW_TTL_MS,
} from '../lifetimes.ts';
import { RESERVE, SETTLE } from './budget-scripts.ts';
import { DUE, FORMS_OF, WAITS } from './form-scripts.ts';
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
 * versions cannot read raises `RECORD_VERSION` (`script-parts.ts`).
 */

/**
 * Keeps Dify's id of a conversation, if the conversation is still of this generation. `difyApp` is the name of the app and the
 * id: an older version writes the id alone, and then the name beside it is that of another id and does not count.
 */
const REMEMBER = `
local function remember(conversation, generation, id, ttl, app)
  if id == '' then return end
  if (redis.call('HGET', conversation, 'generation') or '') ~= generation then return end
  redis.call('HSET', conversation, 'generation', generation, 'difyConversationId', id,
    'difyApp', app .. ' ' .. id)
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) else redis.call('PERSIST', conversation) end
end`;

/** The generation of a conversation, Dify's id of it unless that is named as another app's, its newest form, and all. */
const CONTEXT = `
local function contextOf(conversation, app)
  local known = redis.call('HMGET', conversation, 'generation', 'difyConversationId', 'form', 'difyApp', 'forms')
  local id, named = known[2] or '', known[4] or ''
  if string.sub(named, -#id - 1) == ' ' .. id and named ~= app .. ' ' .. id then id = '' end
  return known[1] or '', id, known[3] or '', known[5] or ''
end`;

/**
 * KEYS: turn, leases; the row of answers to robots. ARGV: `most` is '' for a person's message, which ends the row, and '-'
 * where there is none. FOUND: turns whose lease has lapsed.
 */
export const CLAIM = `${PLACE}${STORE_NOW}${NEWER}${OVERDUE_OF}
local turn, leases, row = unpack(KEYS)
local owner, given, most = unpack(ARGV)
local now = storeNow(given)
local holder = redis.call('HGET', turn, 'acceptedBy')
if not holder then
  redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'done')
  redis.call('PEXPIRE', turn, ${CLAIM_TTL_MS})
  if most == '' then redis.call('DEL', row) end
end
return {(holder or owner) == owner and 1 or 0, overdueOf(prefix, leases, now, 3)}`;

/**
 * KEYS: turn, payload, conversation, running, queue, leases, accepted, waiting, forms; the row of answers to robots; the
 * counter of the asker's questions; the forms of the group; the account of the month, what is spent of it, and its steps.
 * ARGV: `limit` is that of the queue, `allowance` the calls of the month, 0 without a budget; `files` says what becomes of
 * held files; `most` is how many answers in a row robots get, or as for `CLAIM`. FOUND: the turns that run and wait in the
 * conversation, its held files, turns whose lease has lapsed, turns whose card shows a form of the group.
 */
export const ACCEPT = `${PLACE}${STORE_NOW}${NEWER}${OVERDUE_OF}${CONTEXT}${RESERVE}${HOLD}${HELD}${FORMS_OF}${DUE}
local turn, payload, conversation, running, queue, leases, accepted, waiting, dueAt = unpack(KEYS)
local owner, asker, body, given, lease, ttl, limit, allowance, full, few, last, rate, window, app, files, most, group =
  unpack(ARGV)
local nth = 9
local function next(isThere)
  if not isThere then return '' end
  nth = nth + 1
  return KEYS[nth]
end
local row, counter, groupForms = next(most ~= '-'), next(tonumber(rate) > 0), next(group ~= '')
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
  overdueOf(prefix, leases, now, 3), level, tonumber(reached), recorded, forms, formsOf(prefix, groupForms, now),
  dueForms(dueAt, now, 3)}`;

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
if state == 'queued' or state == 'started' then
  redis.call('HSET', turn, 'progress', progress, 'v', ${VERSION})
  hold(leases, now + lease, id)
elseif state == 'dropped' then
  -- The owner that renews a dropped turn ends its card.
  stopped = '1'
  redis.call('ZREM', leases, id)
end
remember(conversation, generation, dify, ttl, app)
local behind = 'nothing'
for _, other in ipairs(redis.call('LRANGE', queue, 0, -1)) do
  local next = redis.call('HMGET', prefix .. 'turn:' .. other, 'state', 'asker')
  if next[1] == 'queued' and behind ~= 'asker' then behind = next[2] == held[5] and 'asker' or 'others' end
end
return {'held', redis.call('ZCOUNT', leases, '(' .. now, '+inf'), stopped,
  overdueOf(prefix, leases, now, 3), behind, tonumber(now)}`;

/**
 * Starts the turn at the head of the queue. Returns its id, or '' when none waits, or when it is on record for a newer
 * version: that one finds it without a lease.
 */
const START_NEXT = `
local function startNext(prefix, running, queue, leases, waiting, owner, now, lease)
  local id = redis.call('LPOP', queue)
  while id and redis.call('HGET', prefix .. 'turn:' .. id, 'state') ~= 'queued' do id = redis.call('LPOP', queue) end
  if not id then
    redis.call('DEL', running)
    return ''
  end
  redis.call('ZREM', waiting, id)
  local turn = prefix .. 'turn:' .. id
  local isLeft = isNewer(turn)
  if isLeft then lease = 0 end
  local conversation = prefix .. 'conversation:' .. redis.call('HGET', turn, 'conversation')
  redis.call('HSET', turn, 'state', 'started', 'owner', owner,
    'askedBy', tonumber(lease) > 0 and owner or '',
    'generation', redis.call('HGET', conversation, 'generation') or '')
  redis.call('SET', running, id, 'PX', redis.call('PTTL', turn))
  hold(leases, now + lease, id)
  return isLeft and '' or id
end`;

/**
 * All that the next owner of a turn needs, as a list. An earlier owner may have asked Dify already. It is certain that
 * none did only if no owner was to ask, or if this owner was.
 */
const DESCRIBE = `${CONTEXT}${FORMS_OF}
local function describe(prefix, id, owner, app, now)
  local turn = prefix .. 'turn:' .. id
  local t = redis.call('HMGET', turn, 'claim', 'hop', 'askedBy', 'conversation', 'generation', 'progress', 'level',
    'stopped', 'toldOf')
  local asked = t[3] ~= '' and t[3] ~= owner and '1' or '0'
  local generation, dify, form, forms = contextOf(prefix .. 'conversation:' .. t[4], app)
  if generation ~= t[5] then dify, form, forms = '', '', '' end
  return {id, t[1], t[2], asked, t[4], t[5], dify, form, redis.call('GET', prefix .. 'payload:' .. id) or '', t[6] or '',
    t[7] or 'full', t[8] or '', forms,
    formsOf(prefix, (t[9] or '') ~= '' and prefix .. 'forms-of:' .. t[9] or '', now)}
end`;

/** What nothing reads of a turn that has ended. */
const SPENT_FIELDS = `'progress', 'owner', 'askedBy', 'place', 'first', 'level', 'reached', 'reserved', 'account', 'changed',
    'hop', 'generation', 'toldOf'`;

/**
 * KEYS: turn, payload, conversation, running, queue, leases, waiting, calls of the month, answered; the card, where DingTalk's
 * name of it is known (`named` is 1); the reply address; the counts and the times of failures; the set of forms that wait and
 * that of the group; the turns whose form is over. ARGV: `form` is '' to keep the newest form, '-' to forget it; `forms` is
 * '' to keep all forms. FOUND: the account of the month, the group of a form that is over, the next turn with its payload, its
 * conversation and the forms it is told of.
 *
 * The turn itself is kept for a day only, as long as a message may be delivered again, and in the form that earlier versions
 * read; then `answered`, a third of its size, is what is left. A turn whose card shows a form is kept whole.
 */
export const FINISH = `${PLACE}${STORE_NOW}${NEWER}${REMEMBER}${HOLD}${SETTLE}${START_NEXT}${DESCRIBE}${WAITS}
local turn, payload, conversation, running, queue, leases, waiting, calls, answered = unpack(KEYS)
local fence, owner, given, nextLease, failure, generation, dify, ttl, receipt, spent, form, app, named, forms, waitUntil,
  group, reply, replyMs, hasForms = unpack(ARGV)
local now = storeNow(given)
local held = redis.call('HMGET', turn, 'claim', 'state', 'next', 'stopped')
if held[1] ~= fence then return {'lost'} end
local following = held[3]
if held[2] ~= 'done' then
  remember(conversation, generation, dify, ttl, app)
  if form ~= '' and (redis.call('HGET', conversation, 'generation') or '') == generation then
    if form == '-' then redis.call('HDEL', conversation, 'form') else redis.call('HSET', conversation, 'form', form) end
    if forms ~= '' then redis.call('HSET', conversation, 'forms', forms) end
  end
  settle(turn, tonumber(spent))
  redis.call('HSET', turn, 'state', 'done', 'receipt', receipt, 'v', ${VERSION})
  redis.call('HDEL', turn, ${SPENT_FIELDS})
  local nth = 9
  local function next()
    nth = nth + 1
    return KEYS[nth]
  end
  if named == '1' then redis.call('SET', next(), id, 'PX', ${RECEIPT_TTL_MS}) end
  if tonumber(replyMs) > 0 then redis.call('SET', next(), reply, 'PX', replyMs) end
  if failure ~= '' then
    local failures, failed = next(), next()
    redis.call('PEXPIRE', payload, ${FAILED_TTL_MS})
    redis.call('HINCRBY', failures, failure, 1)
    redis.call('HSET', failed, failure, now)
    redis.call('PEXPIRE', failures, ${FAILURES_TTL_MS})
    redis.call('PEXPIRE', failed, ${FAILURES_TTL_MS})
  else redis.call('DEL', payload) end
  if waitUntil == '' then
    local asker = redis.call('HGET', turn, 'asker')
    redis.call('PEXPIRE', turn, ${CLAIM_TTL_MS})
    redis.call('SET', answered, table.concat({${VERSION}, keyOf(conversation), asker, receipt}, '\\n'), 'PX', ${RECEIPT_TTL_MS})
  else redis.call('PEXPIRE', turn, ${RECEIPT_TTL_MS}) end
  if hasForms == '1' then
    local dueAt, groupForms = next(), group ~= '' and next() or ''
    for index = nth + 1, #KEYS do endWait(prefix, dueAt, KEYS[index]) end
    if waitUntil ~= '' then wait(turn, id, dueAt, waitUntil, group, groupForms) end
  end
  if tonumber(spent) > 0 then
    redis.call('INCRBY', calls, spent)
    redis.call('PEXPIRE', calls, ${BUDGET_TTL_MS})
  end
  redis.call('ZREM', leases, id)
  following = ''
  if redis.call('GET', running) == id then
    following = startNext(prefix, running, queue, leases, waiting, owner, now, nextLease)
  end
  if following ~= '' then redis.call('HSET', turn, 'next', following) end
end
local count = redis.call('ZCOUNT', leases, '(' .. now, '+inf')
if not following or following == '' then return {'finished', count, held[4] or '', tonumber(now)} end
return {'finished', count, held[4] or '', tonumber(now), describe(prefix, following, owner, app, now)}`;

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
  if held[2] == owner then return {'dropped'} end
  local lapses = redis.call('ZSCORE', leases, id)
  if lapses and tonumber(lapses) > tonumber(now) then return {'held'} end
  if not lapses then return {'gone'} end
  redis.call('ZREM', leases, id)
  redis.call('HSET', turn, 'owner', owner)
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
export const OVERDUE = `${STORE_NOW}${NEWER}${OVERDUE_OF}
local given, limit = unpack(ARGV)
return overdueOf(string.match(KEYS[1], '^(.*}:)leases$'), KEYS[1], storeNow(given), tonumber(limit))`;
