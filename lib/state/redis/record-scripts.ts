import { keepArrival } from './arrivals.ts';

// Scripts for the token, for turns that have ended, for counts and for flags. See `scripts.ts`.

/** KEYS: token. */
export const READ_TOKEN = `return redis.call('GET', KEYS[1]) or ''`;

/** KEYS: token. */
export const SAVE_TOKEN = `return redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])`;

/** KEYS: renewal. If the answer is lost, its repeat says no: the token is then renewed half a minute later. */
export const CLAIM_RENEWAL = `return redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[1]) and 1 or 0`;

/** KEYS: turn, payload. A message that was only claimed has no conversation. It is no turn. */
export const LOOK_UP = `${keepArrival(2)}
local t = redis.call('HMGET', KEYS[1], 'state', 'asker', 'conversation', 'progress', 'receipt', 'stopped')
if not t[3] then return {} end
return {t[1], t[2], t[3], redis.call('GET', KEYS[2]) or '', t[4] or '', t[5] or '', t[6] or ''}`;

/** KEYS: card. The receipt of the turn that made the card. */
export const RECEIPT_OF = `
local id = redis.call('GET', KEYS[1])
return id and redis.call('HGET', ARGV[1] .. 'turn:' .. id, 'receipt') or ''`;

/** KEYS: turn. ARGV: person, owner, rating. */
export const RATE = `
local person, owner, rating = unpack(ARGV)
if redis.call('HEXISTS', KEYS[1], 'conversation') == 0 then return '' end
local held = redis.call('HMGET', KEYS[1], 'rating:' .. person, 'ratedBy:' .. person)
if held[2] == owner then return held[1] end
local now = held[1] == rating and '' or rating
redis.call('HSET', KEYS[1], 'rating:' .. person, now, 'ratedBy:' .. person, owner)
return now`;

/** KEYS: leases. What has waited for longer than a day has expired, and is no longer counted. */
export const STATUS = `
local prefix, now, month, day = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', prefix .. 'waiting', '-inf', tonumber(now) - tonumber(day))
return {redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', prefix .. 'waiting'),
  redis.call('GET', prefix .. 'calls:' .. month) or '0', redis.call('GET', prefix .. 'accepted') or '',
  redis.call('HGETALL', prefix .. 'failures'), redis.call('HGETALL', prefix .. 'failed'),
  redis.call('HGETALL', prefix .. 'arrivals')}`;

/** KEYS: flag. */
export const IS_FLAG_SET = `return redis.call('EXISTS', KEYS[1])`;

/** KEYS: flag. */
export const SET_FLAG = `return redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])`;
