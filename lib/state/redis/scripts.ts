import { CLAIM_TTL_MS } from '../lifetimes.ts';
import { RESERVE, SETTLE } from './budget-scripts.ts';

/**
 * The scripts that run inside Redis, sent whole with EVAL: a fresh database has no script cache to miss. All times are
 * milliseconds; an empty TTL means for ever. Each may run twice with the same arguments.
 *
 * Keys of one robot, below its prefix: `turn:ID` (a hash), `payload:ID`, `conversation:KEY` (a hash),
 * `running:KEY` (the turn that has the floor), `queue:KEY` (turns that wait), `leases` (running turns by the end of
 * their lease). A script that moves on to another turn makes that turn's key from the prefix, which is in braces, so
 * that a cluster has them all in one slot.
 */

const REMEMBER = `
local function remember(conversation, generation, id, ttl)
  if id == '' then return end
  if (redis.call('HGET', conversation, 'generation') or '') ~= generation then return end
  redis.call('HSET', conversation, 'generation', generation, 'difyConversationId', id)
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) else redis.call('PERSIST', conversation) end
end`;

/** What is in the set goes when its turn ends or is taken over; the set itself outlives no turn. */
export const HOLD = `
local function hold(leases, lease, id)
  redis.call('ZADD', leases, lease, id)
  redis.call('PEXPIRE', leases, ${CLAIM_TTL_MS})
end`;

const SOME_OVERDUE = `redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 3)`;

/** KEYS: turn, leases. */
export const CLAIM = `
local turn, leases = unpack(KEYS)
local owner, now, day = unpack(ARGV)
local holder = redis.call('HGET', turn, 'acceptedBy')
if not holder then
  redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'done')
  redis.call('PEXPIRE', turn, day)
end
return {(holder or owner) == owner and 1 or 0, ${SOME_OVERDUE}}`;

/** KEYS: turn, payload, conversation, running, queue, leases, account. */
export const ACCEPT = `${RESERVE}${HOLD}
local turn, payload, conversation, running, queue, leases, account = unpack(KEYS)
local prefix, id, owner, asker, key, body, now, lease, ttl, limit, day, month, full, few, last, keep, rate, window =
  unpack(ARGV)
local known = redis.call('HMGET', turn, 'acceptedBy', 'state', 'place', 'level', 'reached', 'first')
if known[1] and (known[1] ~= owner or known[2] == 'done' or known[2] == 'dropped') then return {'duplicate'} end
local state, place, level, reached, first = known[2], known[3], known[4] or 'full', known[5] or 0, known[6] or 0
-- A repeat gets the first reply, also when a turn that waited has been started for somebody else meanwhile.
if state == 'started' and tonumber(place) > 0 then state = 'queued' end
if not known[1] then
  first = redis.call('HSETNX', conversation, 'met', 1)
  redis.call('SET', prefix .. 'accepted', now, 'PX', keep)
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) end
  local current = redis.call('GET', running)
  state, place = 'started', 0
  local asked = 0
  if tonumber(rate) > 0 then
    local counter = prefix .. 'rate:' .. asker .. ':' .. math.floor(tonumber(now) / tonumber(window))
    asked = redis.call('INCR', counter)
    redis.call('PEXPIRE', counter, window)
  end
  if asked > tonumber(rate) then
    state = 'limited'
  elseif current and redis.call('HGET', prefix .. 'turn:' .. current, 'state') == 'started' then
    place = 1
    -- What was dropped stays in the list until its turn would have come, but nobody waits behind it.
    for _, before in ipairs(redis.call('LRANGE', queue, 0, -1)) do
      if redis.call('HGET', prefix .. 'turn:' .. before, 'state') == 'queued' then place = place + 1 end
    end
    state = place > tonumber(limit) and 'full' or 'queued'
  end
  redis.call('HSET', turn, 'acceptedBy', owner, 'owner', owner, 'asker', asker, 'conversation', key,
    'state', state, 'place', place, 'first', first, 'claim', 1, 'hop', 0, 'askedBy', state == 'started' and owner or '',
    'generation', redis.call('HGET', conversation, 'generation') or '')
  redis.call('PEXPIRE', turn, day)
  if state == 'started' or state == 'queued' then
    redis.call('SET', payload, body, 'PX', day)
    local calls
    level, calls, reached = reserve(account, tonumber(month), tonumber(full), tonumber(few), tonumber(last), keep)
    redis.call('HSET', turn, 'level', level, 'reached', reached, 'reserved', calls,
      'account', tonumber(month) > 0 and account or '')
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
local context = redis.call('HMGET', conversation, 'generation', 'difyConversationId', 'form')
return {state, context[1] or '', context[2] or '', context[3] or '', tonumber(first), tonumber(place),
  redis.call('ZCOUNT', leases, '(' .. now, '+inf'),
  ${SOME_OVERDUE}, level, tonumber(reached)}`;

/**
 * KEYS: turn, conversation, leases. A turn that is renewed although it is not running by the record was accepted without
 * its instance hearing of it, which answers it from itself alone. One in line waits no more then, or it would be asked
 * once again; of the others nothing is kept but that they end.
 */
export const RENEW = `${REMEMBER}${HOLD}
local turn, conversation, leases = unpack(KEYS)
local prefix, id, claim, now, lease, progress, generation, dify, ttl = unpack(ARGV)
local held = redis.call('HMGET', turn, 'claim', 'state', 'stopped', 'acceptedBy')
if not held[1] then return {'unknown'} end
local state, stopped = held[2], held[3] or ''
if held[1] ~= claim or state == 'done' then return {'lost'} end
if state == 'queued' then
  redis.call('HSET', turn, 'state', 'started', 'askedBy', held[4])
  redis.call('ZREM', prefix .. 'waiting', id)
end
if state == 'queued' or state == 'started' then
  redis.call('HSET', turn, 'progress', progress)
  hold(leases, lease, id)
elseif state == 'dropped' then
  -- Whoever is here ends its card.
  stopped = '1'
  redis.call('ZREM', leases, id)
end
remember(conversation, generation, dify, ttl)
return {'held', redis.call('ZCOUNT', leases, '(' .. now, '+inf'), stopped}`;

/** The turn at the head of the queue begins; returns its id, or '' when nobody waits. */
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
 * All that whoever runs a turn needs, as a list. Dify may have been asked by whoever held the turn before: only a turn
 * that nobody, or the same owner, was to ask is certain not to have been.
 */
const DESCRIBE = `
local function describe(prefix, id, owner)
  local turn = prefix .. 'turn:' .. id
  local t = redis.call('HMGET', turn, 'claim', 'hop', 'askedBy', 'conversation', 'generation', 'progress', 'level')
  local asked = t[3] ~= '' and t[3] ~= owner and '1' or '0'
  local context = redis.call('HMGET', prefix .. 'conversation:' .. t[4], 'generation', 'difyConversationId', 'form')
  local isSame = (context[1] or '') == t[5]
  local dify, form = isSame and context[2] or '', isSame and context[3] or ''
  return {id, t[1], t[2], asked, t[4], t[5], dify, form, redis.call('GET', prefix .. 'payload:' .. id) or '', t[6] or '', t[7] or 'full'}
end`;

/** KEYS: turn, payload, conversation, running, queue, leases. */
export const FINISH = `${REMEMBER}${HOLD}${SETTLE}${START_NEXT}${DESCRIBE}
local turn, payload, conversation, running, queue, leases = unpack(KEYS)
local prefix, id, claim, owner, now, nextLease, failure, generation, dify, ttl, receipt, hour, thirty, spent, form,
  month, keep = unpack(ARGV)
local held = redis.call('HMGET', turn, 'claim', 'state', 'next', 'stopped')
if held[1] ~= claim then return {'lost'} end
local following = held[3]
if held[2] ~= 'done' then
  remember(conversation, generation, dify, ttl)
  if form ~= '' and (redis.call('HGET', conversation, 'generation') or '') == generation then
    if form == '-' then redis.call('HDEL', conversation, 'form') else redis.call('HSET', conversation, 'form', form) end
  end
  settle(turn, tonumber(spent))
  redis.call('HSET', turn, 'state', 'done', 'receipt', receipt)
  redis.call('HDEL', turn, 'progress')
  redis.call('PEXPIRE', turn, thirty)
  if failure ~= '' then
    redis.call('PEXPIRE', payload, hour)
    redis.call('HINCRBY', prefix .. 'failures', failure, 1)
    redis.call('HSET', prefix .. 'failed', failure, now)
    redis.call('PEXPIRE', prefix .. 'failures', thirty)
    redis.call('PEXPIRE', prefix .. 'failed', thirty)
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
return {'finished', count, held[4] or '', describe(prefix, following, owner)}`;

/** KEYS: turn, leases. */
export const TAKE_OVER = `${HOLD}${DESCRIBE}
local turn, leases = unpack(KEYS)
local prefix, id, owner, now, lease, claim, hop = unpack(ARGV)
local held = redis.call('HMGET', turn, 'state', 'owner', 'claim')
if held[1] == 'dropped' and claim == '' then
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
  if claim ~= '' then
    if held[3] ~= claim then return {'gone'} end
    redis.call('HSET', turn, 'hop', hop)
  elseif tonumber(redis.call('ZSCORE', leases, id) or '0') > tonumber(now) then
    return {'held'}
  end
  redis.call('HSET', turn, 'owner', owner)
  redis.call('HINCRBY', turn, 'claim', 1)
  hold(leases, lease, id)
end
local described = describe(prefix, id, owner)
if described[4] == '0' then redis.call('HSET', turn, 'askedBy', owner) end
return {'taken', described}`;

/** KEYS: leases. */
export const OVERDUE = `return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])`;
