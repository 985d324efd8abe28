import { FORMS_OF } from './form-scripts.ts';

// What a turn is told of its conversation, as parts of scripts. See `scripts.ts`.

/**
 * Keeps Dify's id of a conversation, if the conversation is still of this generation. `difyApp` is the name of the app and the
 * id: an older version writes the id alone, and then the name beside it is that of another id and does not count.
 */
export const REMEMBER = `
local function remember(conversation, generation, id, ttl, app)
  if id == '' then return end
  if (redis.call('HGET', conversation, 'generation') or '') ~= generation then return end
  redis.call('HSET', conversation, 'generation', generation, 'difyConversationId', id,
    'difyApp', app .. ' ' .. id)
  if ttl ~= '' then redis.call('PEXPIRE', conversation, ttl) else redis.call('PERSIST', conversation) end
end`;

/** The generation of a conversation, Dify's id of it unless that is named as another app's, its newest form, and all. */
export const CONTEXT = `
local function contextOf(conversation, app)
  local known = redis.call('HMGET', conversation, 'generation', 'difyConversationId', 'form', 'difyApp', 'forms')
  local id, named = known[2] or '', known[4] or ''
  if string.sub(named, -#id - 1) == ' ' .. id and named ~= app .. ' ' .. id then id = '' end
  return known[1] or '', id, known[3] or '', known[5] or ''
end`;

/**
 * All that the next owner of a turn needs, as a list. An earlier owner may have asked Dify already. It is certain that
 * none did only if no owner was to ask, or if this owner was.
 */
export const DESCRIBE = `${CONTEXT}${FORMS_OF}
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
