import { BUDGET_TTL_MS, CLAIM_TTL_MS, FAILED_TTL_MS, FAILURES_TTL_MS, RECEIPT_TTL_MS } from '../lifetimes.ts';
import { SETTLE } from './budget-scripts.ts';
import { DESCRIBE, REMEMBER } from './context-parts.ts';
import { WAITS } from './form-scripts.ts';
import { HOLD, NEWER, PLACE, STORE_NOW, VERSION } from './script-parts.ts';

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
local reply = {'finished', count, held[4] or '', tonumber(now)}
if not following or following == '' then return reply end
-- A repeat finds a next turn that another has taken, or ended, since its lease lapsed. It is not told again.
local next = redis.call('HMGET', prefix .. 'turn:' .. following, 'state', 'owner')
if next[1] == 'started' and next[2] == owner then table.insert(reply, describe(prefix, following, owner, app, now)) end
return reply`;
