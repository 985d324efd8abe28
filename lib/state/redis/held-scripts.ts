import { CLAIM_TTL_MS } from '../lifetimes.ts';
import { MOST_TOLD } from '../told.ts';
import { NEWER, OVERDUE_OF, PLACE, STORE_NOW } from './script-parts.ts';

// Files that wait for the next question of their conversation. See `scripts.ts`.
//
// The list `held:KEY:GENERATION` has an entry for each file: the id of its turn, a space, and the file as JSON text. The
// generation is in its name, so that `/new` leaves the files behind, also when an older version carries it out. `heldAt` of
// the conversation outlives the list: where only `heldAt` is left, files were held for too long.

/** Parts of the scripts below and of `ACCEPT`. */
export const HELD = `
local function heldOf(prefix, conversation)
  local key = string.sub(conversation, #prefix + #'conversation:' + 1)
  return prefix .. 'held:' .. key .. ':' .. (redis.call('HGET', conversation, 'generation') or '')
end
local function release(held, conversation, id)
  for _, entry in ipairs(redis.call('LRANGE', held, 0, -1)) do
    if string.sub(entry, 1, #id + 1) == id .. ' ' then redis.call('LREM', held, 1, entry) end
  end
  if redis.call('EXISTS', held) == 0 then redis.call('HDEL', conversation, 'heldAt') end
end
-- The body of a question with the files that were held for it, and their number.
local function takeHeld(held, conversation, body)
  local files = {}
  for _, entry in ipairs(redis.call('LRANGE', held, 0, -1)) do
    table.insert(files, string.sub(entry, string.find(entry, ' ', 1, true) + 1))
  end
  local added = ''
  if #files > 0 then added = ',"held":[' .. table.concat(files, ',') .. ']}'
  elseif redis.call('HEXISTS', conversation, 'heldAt') == 1 then added = ',"heldIsOver":true}' end
  if added == '' then return body, 0 end
  redis.call('DEL', held)
  redis.call('HDEL', conversation, 'heldAt')
  return string.sub(body, 1, -2) .. added, #files
end`;

/**
 * KEYS: turn, leases, conversation. ARGV: the files come last. A held message is a turn only when it is accepted later. FOUND:
 * the held files, turns whose lease has lapsed.
 */
export const HOLD_FILES = `${PLACE}${STORE_NOW}${NEWER}${OVERDUE_OF}${HELD}
local turn, leases, conversation = unpack(KEYS)
local owner, given, ttl, hold, limit = unpack(ARGV)
local now = storeNow(given)
local known = redis.call('HMGET', turn, 'acceptedBy', 'state', 'first')
if known[1] and (known[1] ~= owner or known[2] ~= 'held') then return {'duplicate'} end
local held = heldOf(prefix, conversation)
local first = known[3]
if not known[1] then
  first = redis.call('HSETNX', conversation, 'met', 1)
  for index = 6, #ARGV do
    if redis.call('LLEN', held) < tonumber(limit) then redis.call('RPUSH', held, id .. ' ' .. ARGV[index]) end
  end
  redis.call('PEXPIRE', held, hold)
  redis.call('HSET', conversation, 'heldAt', now)
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) end
  redis.call('HSET', turn, 'acceptedBy', owner, 'state', 'held', 'first', first)
  redis.call('PEXPIRE', turn, ${CLAIM_TTL_MS})
end
local files, added = {}, 0
for _, entry in ipairs(redis.call('LRANGE', held, 0, -1)) do
  local isOwn = string.sub(entry, 1, #id + 1) == id .. ' '
  -- What came after this message is told with a message of its own.
  if added > 0 and not isOwn then break end
  if isOwn then added = added + 1 end
  table.insert(files, string.sub(entry, string.find(entry, ' ', 1, true) + 1))
end
return {'held', files, added, tonumber(first), overdueOf(prefix, leases, now, ${MOST_TOLD}),
  redis.call('HGET', conversation, 'generation') or '', redis.call('HGET', conversation, 'form') or '',
  redis.call('HGET', conversation, 'forms') or ''}`;
