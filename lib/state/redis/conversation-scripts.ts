import { DROPPED_CALLS } from '../budget.ts';
import { SETTLE } from './budget-scripts.ts';
import { HELD } from './held-scripts.ts';
import { HOLD, PLACE, STORE_NOW } from './script-parts.ts';

// Scripts for turns that wait, and for conversations that begin anew or are stopped. See `scripts.ts`.

/** KEYS: turn. ARGV: the progress to keep, or '' to only look. */
export const WAITING = `
local held = redis.call('HMGET', KEYS[1], 'state', 'progress')
local state, progress = held[1], held[2] or ''
if state ~= 'queued' and state ~= 'started' and state ~= 'dropped' then state = 'over' end
if ARGV[1] ~= '' and progress == '' and (state == 'queued' or state == 'started') then
  progress = ARGV[1]
  redis.call('HSET', KEYS[1], 'progress', progress)
end
return {state, progress}`;

/** KEYS: turn, leases. */
export const NOTE_DROPPED = `${PLACE}
if redis.call('HGET', KEYS[1], 'state') == 'dropped' then redis.call('ZREM', KEYS[2], id) end
return 1`;

/**
 * KEYS: conversation. Returns how many held files are dropped; a repeat returns the same. The forms of the conversation
 * stay: their numbers are not given again, and words that name one are no question. FOUND: the held files.
 */
export const START_CONVERSATION = `${HELD}
local conversation = KEYS[1]
local prefix = string.match(conversation, '^(.*}:)conversation:')
local generation, ttl = unpack(ARGV)
if redis.call('HGET', conversation, 'generation') == generation then
  return tonumber(redis.call('HGET', conversation, 'dropped') or '0')
end
local held = heldOf(prefix, conversation)
local dropped = redis.call('LLEN', held)
local forms = redis.call('HGET', conversation, 'forms')
redis.call('DEL', conversation, held)
redis.call('HSET', conversation, 'generation', generation, 'met', 1, 'dropped', dropped)
if forms then redis.call('HSET', conversation, 'forms', forms) end
if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) end
return dropped`;

/**
 * KEYS: running, queue, leases, waiting. A dropped turn gets a lease. If the instance that opens its card, or the one that is
 * told here to end it, is killed, the lease lapses, and another instance ends the card. FOUND: the turns that run and wait,
 * with their payloads; the account of the month.
 */
export const STOP = `${STORE_NOW}${HOLD}${SETTLE}
local running, queue, leases, waiting = unpack(KEYS)
local asker, owner, only, given, lease = unpack(ARGV)
local now = storeNow(given)
local prefix = string.match(leases, '^(.*}:)leases$')
local function isTheirs(id)
  if only ~= '' and id ~= only then return false end
  return asker == '' or redis.call('HGET', prefix .. 'turn:' .. id, 'asker') == asker
end
local dropped = {}
for _, id in ipairs(redis.call('LRANGE', queue, 0, -1)) do
  local turn = prefix .. 'turn:' .. id
  if isTheirs(id) and redis.call('HGET', turn, 'state') == 'queued' then
    redis.call('HSET', turn, 'state', 'dropped', 'droppedBy', owner)
    redis.call('ZREM', waiting, id)
    settle(turn, math.min(tonumber(redis.call('HGET', turn, 'reserved') or '0'), ${DROPPED_CALLS}))
    -- An instance that answers it unheard ends it as well, and settles nothing more.
    redis.call('HDEL', turn, 'account')
    redis.call('DEL', prefix .. 'payload:' .. id)
    hold(leases, now + lease, id)
    table.insert(dropped, {id, redis.call('HGET', turn, 'progress') or ''})
  elseif redis.call('HGET', turn, 'droppedBy') == owner then
    table.insert(dropped, {id, redis.call('HGET', turn, 'progress') or ''})
  end
end
local id = redis.call('GET', running)
if not id or not isTheirs(id) then return {dropped} end
local turn = prefix .. 'turn:' .. id
redis.call('HSET', turn, 'stopped', 1)
return {dropped, id, redis.call('GET', prefix .. 'payload:' .. id) or '', redis.call('HGET', turn, 'progress') or ''}`;
