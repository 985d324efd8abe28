import { CLAIM_TTL_MS } from '../lifetimes.ts';
import { keepArrival } from './arrivals.ts';
import { RESERVE, SETTLE } from './budget-scripts.ts';
import { DUE, FORMS_OF, WAITS } from './form-scripts.ts';
import { HELD } from './held-scripts.ts';

/**
 * The scripts that run inside Redis. An instance sends each whole the first time, so that none has to be loaded into a fresh
 * database first. All times are milliseconds; an empty TTL means no expiry. A script that runs twice with the same arguments
 * changes nothing the second time.
 *
 * Keys of one robot, below its prefix: `turn:ID` (a hash), `payload:ID`, `conversation:KEY` (a hash), `running:KEY` (the
 * turn that runs), `queue:KEY` (turns that wait), `leases` (running turns by the end of their lease), `held:KEY:GENERATION`
 * (`held-scripts.ts`). A script that needs the keys of another turn, or of held files, makes them from the prefix. The
 * prefix is in braces, so that a cluster keeps all of them in one slot.
 *
 * Two versions of this project may share a store during a deployment. A key or field that one of them writes must mean the
 * same to the other: hence field names such as `claim`, which the rest of the code calls the fence.
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

/** Sets the lease of a turn. The set of leases expires a day after its last change, as the turns in it do. */
export const HOLD = `
local function hold(leases, lease, id)
  redis.call('ZADD', leases, lease, id)
  redis.call('PEXPIRE', leases, ${CLAIM_TTL_MS})
end`;

const SOME_OVERDUE = `redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 3)`;

/**
 * KEYS: turn, leases, row. ARGV: `most` is '' for a person's message, which ends the row of answers to robots, and '-' where
 * there is no row.
 */
export const CLAIM = `${keepArrival(3)}
local turn, leases, row = unpack(KEYS)
local owner, now, day, most = unpack(ARGV)
local holder = redis.call('HGET', turn, 'acceptedBy')
if not holder then
  redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'done')
  redis.call('PEXPIRE', turn, day)
  if most == '' then redis.call('DEL', row) end
end
return {(holder or owner) == owner and 1 or 0, ${SOME_OVERDUE}}`;

/**
 * KEYS: turn, payload, conversation, running, queue, leases, account, row. ARGV: `limit` is that of the queue, `allowance` the
 * calls of the month, 0 without a budget; `files` says what becomes of held files; `most` is how many answers in a row robots
 * get, or as for `CLAIM`.
 */
export const ACCEPT = `${CONTEXT}${RESERVE}${HOLD}${HELD}${FORMS_OF}${DUE}${keepArrival(8)}
local turn, payload, conversation, running, queue, leases, account, row = unpack(KEYS)
local prefix, id, owner, asker, key, body, now, lease, ttl, limit, day, allowance, full, few, last, keep, rate, window,
  app, files, most, year, group = unpack(ARGV)
local known = redis.call('HMGET', turn, 'acceptedBy', 'state', 'place', 'level', 'reached', 'first', 'changed')
local held, changed = heldOf(prefix, conversation, key), known[7]
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
  if tonumber(redis.call('GET', row) or '0') >= (tonumber(most) or math.huge) then
    redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'silent')
    redis.call('PEXPIRE', turn, day)
    redis.call('PEXPIRE', row, year)
    return {'silent'}
  end
  first = first or redis.call('HSETNX', conversation, 'met', 1)
  redis.call('SET', prefix .. 'accepted', now, 'PX', keep)
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) end
  local current = redis.call('GET', running)
  state, place = 'started', 0
  local asked = 0
  local isUnheld = files == 'need' and redis.call('EXISTS', held) == 0
  if tonumber(rate) > 0 and not isUnheld then
    local counter = prefix .. 'rate:' .. asker .. ':' .. math.floor(tonumber(now) / tonumber(window))
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
  redis.call('HSET', turn, 'acceptedBy', owner, 'owner', owner, 'asker', asker, 'conversation', key,
    'state', state, 'place', place, 'first', first, 'claim', 1, 'hop', 0, 'askedBy', state == 'started' and owner or '',
    'generation', redis.call('HGET', conversation, 'generation') or '')
  if group ~= '' then redis.call('HSET', turn, 'toldOf', group) end
  redis.call('PEXPIRE', turn, day)
  if state == 'started' or state == 'queued' then
    local whole, count = body, 0
    if files ~= 'leave' then whole, count = takeHeld(held, conversation, body) end
    if whole ~= body then changed = 1 end
    redis.call('SET', payload, whole, 'PX', day)
    if tonumber(most) then redis.call('INCR', row) redis.call('PEXPIRE', row, year) end
    local calls
    -- The address of each file costs a call.
    level, calls, reached = reserve(account, tonumber(allowance), full + count, few + count, last + count, keep)
    redis.call('HSET', turn, 'level', level, 'reached', reached, 'reserved', calls, 'changed', changed or '',
      'account', tonumber(allowance) > 0 and account or '')
  end
  if state == 'started' then
    redis.call('SET', running, id, 'PX', day)
    hold(leases, lease, id)
  elseif state == 'queued' then
    redis.call('RPUSH', queue, id)
    redis.call('PEXPIRE', queue, day)
    redis.call('ZADD', prefix .. 'waiting', now, id)
    redis.call('PEXPIRE', prefix .. 'waiting', day)
  end
end
local generation, dify, form, forms = contextOf(conversation, app)
local recorded = changed and changed ~= '' and redis.call('GET', payload) or ''
return {state, generation, dify, form, tonumber(first or 0), tonumber(place),
  redis.call('ZCOUNT', leases, '(' .. now, '+inf'),
  ${SOME_OVERDUE}, level, tonumber(reached), recorded, forms, formsOf(prefix, group, now), dueForms(prefix, now, 3)}`;

/**
 * KEYS: turn, conversation, leases. An instance may renew a turn that is not running by the record: the store accepted
 * the turn, the reply was lost, and the instance answers it without a record. Such a turn leaves the line, or it would
 * be asked a second time. If it was dropped, only its end is recorded.
 */
export const RENEW = `${REMEMBER}${HOLD}
local turn, conversation, leases = unpack(KEYS)
local prefix, id, fence, now, lease, progress, generation, dify, ttl, app = unpack(ARGV)
local held = redis.call('HMGET', turn, 'claim', 'state', 'stopped', 'acceptedBy', 'conversation', 'asker')
if not held[1] then return {'unknown'} end
local state, stopped = held[2], held[3] or ''
if held[1] ~= fence or state == 'done' then return {'lost'} end
if state == 'queued' then
  redis.call('HSET', turn, 'state', 'started', 'askedBy', held[4])
  redis.call('ZREM', prefix .. 'waiting', id)
end
if state == 'queued' or state == 'started' then
  redis.call('HSET', turn, 'progress', progress)
  hold(leases, lease, id)
elseif state == 'dropped' then
  -- The owner that renews a dropped turn ends its card.
  stopped = '1'
  redis.call('ZREM', leases, id)
end
remember(conversation, generation, dify, ttl, app)
local behind = 'nothing'
for _, other in ipairs(redis.call('LRANGE', prefix .. 'queue:' .. held[5], 0, -1)) do
  local waiting = redis.call('HMGET', prefix .. 'turn:' .. other, 'state', 'asker')
  if waiting[1] == 'queued' and behind ~= 'asker' then behind = waiting[2] == held[6] and 'asker' or 'others' end
end
return {'held', redis.call('ZCOUNT', leases, '(' .. now, '+inf'), stopped, ${SOME_OVERDUE}, behind}`;

/** Starts the turn at the head of the queue. Returns its id, or '' when none waits. */
const START_NEXT = `
local function startNext(prefix, running, queue, leases, owner, now, lease)
  local id = redis.call('LPOP', queue)
  while id and redis.call('HGET', prefix .. 'turn:' .. id, 'state') ~= 'queued' do id = redis.call('LPOP', queue) end
  if not id then
    redis.call('DEL', running)
    return ''
  end
  redis.call('ZREM', prefix .. 'waiting', id)
  local turn = prefix .. 'turn:' .. id
  local conversation = prefix .. 'conversation:' .. redis.call('HGET', turn, 'conversation')
  redis.call('HSET', turn, 'state', 'started', 'owner', owner,
    'askedBy', tonumber(lease) > tonumber(now) and owner or '',
    'generation', redis.call('HGET', conversation, 'generation') or '')
  redis.call('SET', running, id, 'PX', redis.call('PTTL', turn))
  hold(leases, lease, id)
  return id
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
  return {id, t[1], t[2], asked, t[4], t[5], dify, form, redis.call('GET', prefix .. 'payload:' .. id) or '', t[6] or '', t[7] or 'full',
    t[8] or '', forms, formsOf(prefix, t[9] or '', now)}
end`;

/**
 * KEYS: turn, payload, conversation, running, queue, leases, card. ARGV: `form` is '' to keep the newest form, '-' to forget
 * it; `named` is 1 where DingTalk's name of the card is known; `forms` is '' to keep all forms; the turns whose form is over
 * come last.
 */
export const FINISH = `${REMEMBER}${HOLD}${SETTLE}${START_NEXT}${DESCRIBE}${WAITS}
local turn, payload, conversation, running, queue, leases, card = unpack(KEYS)
local prefix, id, fence, owner, now, nextLease, failure, generation, dify, ttl, receipt, hour, days, spent, form,
  month, keep, app, named, forms, waitUntil, group = unpack(ARGV)
local held = redis.call('HMGET', turn, 'claim', 'state', 'next', 'stopped')
if held[1] ~= fence then return {'lost'} end
local following = held[3]
if held[2] ~= 'done' then
  remember(conversation, generation, dify, ttl, app)
  if form ~= '' and (redis.call('HGET', conversation, 'generation') or '') == generation then
    if form == '-' then redis.call('HDEL', conversation, 'form') else redis.call('HSET', conversation, 'form', form) end
    if forms ~= '' then redis.call('HSET', conversation, 'forms', forms) end
  end
  for index = 23, #ARGV do endWait(prefix, ARGV[index]) end
  if waitUntil ~= '' then wait(prefix, id, waitUntil, group, days) end
  settle(turn, tonumber(spent))
  redis.call('HSET', turn, 'state', 'done', 'receipt', receipt)
  redis.call('HDEL', turn, 'progress')
  redis.call('PEXPIRE', turn, days)
  if named == '1' then redis.call('SET', card, id, 'PX', days) end
  if failure ~= '' then
    redis.call('PEXPIRE', payload, hour)
    redis.call('HINCRBY', prefix .. 'failures', failure, 1)
    redis.call('HSET', prefix .. 'failed', failure, now)
    redis.call('PEXPIRE', prefix .. 'failures', days)
    redis.call('PEXPIRE', prefix .. 'failed', days)
  else redis.call('DEL', payload) end
  if tonumber(spent) > 0 then
    redis.call('INCRBY', prefix .. 'calls:' .. month, spent)
    redis.call('PEXPIRE', prefix .. 'calls:' .. month, keep)
  end
  redis.call('ZREM', leases, id)
  following = ''
  if redis.call('GET', running) == id then
    following = startNext(prefix, running, queue, leases, owner, now, nextLease)
  end
  redis.call('HSET', turn, 'next', following)
end
local count = redis.call('ZCOUNT', leases, '(' .. now, '+inf')
if not following or following == '' then return {'finished', count, held[4] or ''} end
return {'finished', count, held[4] or '', describe(prefix, following, owner, app, now)}`;

/** KEYS: turn, leases. ARGV: `fence` is empty when the turn is taken only because its lease has lapsed. */
export const TAKE_OVER = `${HOLD}${DESCRIBE}
local turn, leases = unpack(KEYS)
local prefix, id, owner, now, lease, fence, hop, app = unpack(ARGV)
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
  if fence ~= '' then
    if held[3] ~= fence then return {'gone'} end
    redis.call('HSET', turn, 'hop', hop)
  elseif tonumber(redis.call('ZSCORE', leases, id) or '0') > tonumber(now) then
    return {'held'}
  end
  redis.call('HSET', turn, 'owner', owner)
  redis.call('HINCRBY', turn, 'claim', 1)
  hold(leases, lease, id)
end
local described = describe(prefix, id, owner, app, now)
if described[4] == '0' then redis.call('HSET', turn, 'askedBy', owner) end
return {'taken', described}`;

/** KEYS: leases. */
export const OVERDUE = `${keepArrival(1)}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])`;
