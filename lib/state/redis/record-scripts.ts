import { CLAIM_TTL_MS } from '../lifetimes.ts';
import { STORE_NOW, VERSION } from './script-parts.ts';
import { KEEP_ARRIVAL } from './arrivals.ts';

// Scripts for the token, for turns that have ended, for counts and for flags. See `scripts.ts`.

/** KEYS: token. */
export const READ_TOKEN = `return redis.call('GET', KEYS[1]) or ''`;

/** KEYS: token. */
export const SAVE_TOKEN = `return redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])`;

/** KEYS: renewal. If the answer is lost, its repeat says no: the token is then renewed half a minute later. */
export const CLAIM_RENEWAL = `return redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[1]) and 1 or 0`;

/**
 * What is left of an answered turn after a day (`FINISH`): conversation, asker and receipt; nil where there is none, or where
 * a newer version wrote it.
 */
const ANSWERED = `
local function answeredOf(key)
  local version, conversation, asker, receipt = string.match(redis.call('GET', key) or '', '^(%d+)\\n(.-)\\n(.-)\\n(.*)$')
  if version and tonumber(version) <= ${VERSION} then return conversation, asker, receipt end
end`;

/** KEYS: turn, payload, answered, reply. A message that was only claimed has no conversation. It is no turn. */
export const LOOK_UP = `${KEEP_ARRIVAL}${ANSWERED}
local turn, payload, answered, reply = unpack(KEYS)
local t = redis.call('HMGET', turn, 'state', 'asker', 'conversation', 'progress', 'receipt', 'stopped', 'formNote')
if not t[3] then
  local conversation, asker, receipt = answeredOf(answered)
  if not conversation then return {} end
  return {'done', asker, conversation, '', '', receipt, '', redis.call('GET', reply) or '', ''}
end
return {t[1], t[2], t[3], redis.call('GET', payload) or '', t[4] or '', t[5] or '', t[6] or '',
  redis.call('GET', reply) or '', t[7] or ''}`;

/** KEYS: card. The receipt of the turn that made the card. FOUND: that turn. */
export const RECEIPT_OF = `${ANSWERED}
local prefix = string.match(KEYS[1], '^(.*}:)card:')
local id = redis.call('GET', KEYS[1])
if not id then return '' end
local receipt = redis.call('HGET', prefix .. 'turn:' .. id, 'receipt')
return receipt or select(3, answeredOf(prefix .. 'answered:' .. id)) or ''`;

/** KEYS: turn. ARGV: note, `guarded` is 1 where it takes the place of `instead` only. */
export const NOTE_FORM = `
local note, guarded, instead = unpack(ARGV)
if redis.call('HEXISTS', KEYS[1], 'conversation') == 0 then return '' end
local held = redis.call('HGET', KEYS[1], 'formNote') or ''
if guarded == '1' and held ~= instead then return held end
redis.call('HSET', KEYS[1], 'formNote', note)
return note`;

/**
 * KEYS: turn, answered. ARGV: person, owner, rating, whether the same rating again stays. A turn that is rated is kept as long as
 * what is left of it.
 */
export const RATE = `
local turn, answered = unpack(KEYS)
local person, owner, rating, keeps = unpack(ARGV)
local left = redis.call('PTTL', answered)
if left < 0 and redis.call('HEXISTS', turn, 'conversation') == 0 then return '' end
local held = redis.call('HMGET', turn, 'rating:' .. person, 'ratedBy:' .. person)
if held[2] == owner then return held[1] end
local now = held[1] == rating and keeps == '0' and '' or rating
redis.call('HSET', turn, 'rating:' .. person, now, 'ratedBy:' .. person, owner)
if left > redis.call('PTTL', turn) then redis.call('PEXPIRE', turn, left) end
return now`;

/**
 * KEYS: leases, waiting, calls of the month, accepted, the counts and the times of failures, arrivals. What has waited for longer than
 * a day has expired, and is no longer counted.
 */
export const STATUS = `${STORE_NOW}
local leases, waiting, calls, accepted, failures, failed, arrivals = unpack(KEYS)
local now = storeNow(ARGV[1])
redis.call('ZREMRANGEBYSCORE', waiting, '-inf', tonumber(now) - ${CLAIM_TTL_MS})
return {redis.call('ZCARD', leases), redis.call('ZCARD', waiting), redis.call('GET', calls) or '0',
  redis.call('GET', accepted) or '', redis.call('HGETALL', failures), redis.call('HGETALL', failed),
  redis.call('HGETALL', arrivals)}`;

/** KEYS: flag. */
export const IS_FLAG_SET = `return redis.call('EXISTS', KEYS[1])`;

/** KEYS: flag. */
export const SET_FLAG = `return redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])`;
