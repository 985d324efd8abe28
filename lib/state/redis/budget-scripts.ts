import { BUDGET_STEPS } from '../budget.ts';
import { BUDGET_TTL_MS } from '../lifetimes.ts';

// The organisation's month, as parts of the scripts that begin and end a turn. See `scripts.ts`.

/**
 * Sets aside what an answer may cost. How freely it may spend depends on the calls spent or set aside. A step of the month
 * depends on the calls spent, and is reported once. `limit` is 0 without a budget, and `account`
 * is then empty; otherwise it has the keys of what is used, of what is spent, and of each step.
 */
export const RESERVE = `
local function reserve(account, limit, full, few, last)
  if limit == 0 then return 'full', 0, 0 end
  local used = tonumber(redis.call('GET', account[1]) or '0')
  local share = used * 100 / limit
  local level, calls = 'full', full
  if share >= ${BUDGET_STEPS.few} or used + calls > limit then level, calls = 'few', few end
  if share >= ${BUDGET_STEPS.last} or used + calls > limit then level, calls = 'last', last end
  if used + calls > limit then level, calls = 'none', 0 end
  if calls > 0 then
    redis.call('INCRBY', account[1], calls)
    redis.call('PEXPIRE', account[1], ${BUDGET_TTL_MS})
  end
  local spent = tonumber(redis.call('GET', account[2]) or '0')
  local reached = 0
  for index, step in ipairs({${Object.values(BUDGET_STEPS).join(', ')}}) do
    local isReached = spent * 100 / limit >= step or (step == 100 and spent + last > limit)
    if isReached and redis.call('SET', account[2 + index], 1, 'NX', 'PX', ${BUDGET_TTL_MS}) then reached = step end
  end
  return level, calls, reached
end`;

/** Counts what a turn spent, and gives back what was set aside for it beyond that. */
export const SETTLE = `
local function settle(turn, spent)
  local held = redis.call('HMGET', turn, 'reserved', 'account')
  if not held[2] or held[2] == '' then return end
  redis.call('INCRBY', held[2], spent - tonumber(held[1]))
  redis.call('INCRBY', held[2] .. ':spent', spent)
  redis.call('PEXPIRE', held[2] .. ':spent', ${BUDGET_TTL_MS})
end`;
