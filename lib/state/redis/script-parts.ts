import { CLAIM_TTL_MS, LEFT_TO_NEWER_MS } from '../lifetimes.ts';

// Parts that several scripts share. See `scripts.ts`.

/**
 * The version of what is kept of a turn; that of a record without one is 1. It is raised with a change that the versions
 * before cannot read, which new fields are not.
 */
export const VERSION = 1;

/** The prefix of the robot, and the turn's id: the first key is that of the turn. */
export const PLACE = `
local prefix, id = string.match(KEYS[1], '^(.*}:)turn:(.*)$')
local function keyOf(conversation) return string.sub(conversation, #prefix + #'conversation:' + 1) end`;

/**
 * The store's time. The adapter gives it in tests, whose clocks are not those of the world; otherwise Redis has it, so that
 * instances whose clocks differ agree on when a lease lapses.
 */
export const STORE_NOW = `
local function storeNow(given)
  if given ~= '' then return given end
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end`;

/**
 * Whether a turn is on record in a newer version. Such a turn is left to that version for `LEFT_MS` after its lease has
 * lapsed. After that the newer version is taken to be gone: the turn is ended, or its conversation would wait for it.
 */
export const NEWER = `
local LEFT_MS = ${LEFT_TO_NEWER_MS}
local function isNewer(turn) return tonumber(redis.call('HGET', turn, 'v') or 1) > ${VERSION} end`;

/** Sets the lease of a turn. The set of leases expires a day after its last change, as the turns in it do. */
export const HOLD = `
local function hold(leases, lease, id)
  redis.call('ZADD', leases, lease, id)
  redis.call('PEXPIRE', leases, ${CLAIM_TTL_MS})
end`;

/** Turns whose lease has lapsed, oldest first, without those that are left to a newer version. */
export const OVERDUE_OF = `
local function overdueOf(prefix, leases, now, limit)
  local found = {}
  local lapsed = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit + 100)
  for index = 1, #lapsed, 2 do
    if #found == limit then break end
    local isLeft = lapsed[index + 1] + LEFT_MS > tonumber(now) and isNewer(prefix .. 'turn:' .. lapsed[index])
    if not isLeft then table.insert(found, lapsed[index]) end
  end
  return found
end`;
