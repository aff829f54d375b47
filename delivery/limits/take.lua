-- Takes up to n permits from several limits and quotas at once, all or nothing per permit.
-- KEYS  one per limit, then one per quota, then (when shared) the claimants' virtual times and their last call
-- ARGV  n, least, now_us (0: Redis time), n_limits, n_quotas, fair_from (index of the first window of the shared
--       scope, 0: not shared), then claimant, weight, lane; then per limit: interval_us, tau_us (burst * interval);
--       then per quota: count, ends_at
-- Gives {granted, refuser, wait_us, now_us}. refuser: index of the window that makes the caller wait longest;
--       0 nobody; -1 another claimant's turn; below -1: quota number (-1 - refuser) is not known to Redis.
-- A limit's key holds its theoretical arrival time in microseconds (GCRA). A missing key starts with one permit, not
-- with the whole burst: a flushed Redis cannot give a burst twice.

local n, least = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = tonumber(ARGV[3])
local n_limits, n_quotas, fair_from = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end

local function keep(key, tat, tau)
  redis.call('SET', key, tat, 'PX', math.ceil((math.max(tat - now, 0) + tau) / 1000) + 60000)
end

local granted, refuser, wait, slack = n, 0, 0, 0
local shared_free, shared_interval, shared_burst = math.huge, 0, 0
local tats = {}

for i = 1, n_limits do
  local interval, tau = tonumber(ARGV[8 + 2 * i]), tonumber(ARGV[9 + 2 * i])
  local tat = tonumber(redis.call('GET', KEYS[i]) or nil)
  if not tat then
    tat = now + tau - interval
    keep(KEYS[i], tat, tau)
  end
  -- A clock set back leaves arrival times in the far future: then the bucket counts as empty, no worse.
  tat = math.min(math.max(tat, now), now + tau)
  tats[i] = tat
  local free = math.floor((now + tau - tat) / interval + 0.000001)
  local need = math.max(1, math.min(least, math.floor(tau / interval + 0.000001)))
  if free < need then
    local w = math.max(1, math.ceil(need * interval - (now + tau - tat)))
    if w > wait then refuser, wait = i, w end
  end
  granted = math.min(granted, free)
  if fair_from > 0 and i >= fair_from and free < shared_free then
    shared_free, shared_interval, shared_burst = free, interval, tau / interval
  end
end

local after_limits = 9 + 2 * n_limits
for i = 1, n_quotas do
  local used = redis.call('GET', KEYS[n_limits + i])
  if not used then return {0, -1 - i, 0, now} end
  local count, ends_at = tonumber(ARGV[after_limits + 2 * i - 1]), tonumber(ARGV[after_limits + 2 * i])
  local free = count - tonumber(used)
  if free < 1 then
    local w = math.max(1000000, ends_at * 1000000 - now)
    if w > wait then refuser, wait = n_limits + i, w end
  end
  granted = math.min(granted, free)
end

if refuser > 0 then
  -- Only a claimant that the shared scope itself holds back counts as waiting for it.
  local held_by_shared = fair_from > 0 and refuser >= fair_from and refuser <= n_limits
  if not held_by_shared then return {0, refuser, wait, now} end
end

if shared_free < math.huge then
  local passes, seen = KEYS[n_limits + n_quotas + 1], KEYS[n_limits + n_quotas + 2]
  local claimant, weight, lane = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
  local member = lane .. ':' .. claimant
  -- Who has not asked for half a second and one permit's time does not wait: nobody is kept waiting for it.
  local gone = redis.call('ZRANGEBYSCORE', seen, '-inf', now - 500000 - shared_interval)
  for _, other in ipairs(gone) do
    redis.call('ZREM', seen, other)
    redis.call('ZREM', passes, other)
  end
  redis.call('ZADD', seen, now, member)
  local mine, lowest, before = tonumber(redis.call('ZSCORE', passes, member) or nil), nil, false
  local waiting = redis.call('ZRANGE', passes, 0, -1, 'WITHSCORES')
  for i = 1, #waiting, 2 do
    if waiting[i] ~= member then
      local its_lane = tonumber(string.match(waiting[i], '^%d+'))
      if its_lane < lane then before = true end
      if its_lane == lane and (not lowest or tonumber(waiting[i + 1]) < lowest) then lowest = tonumber(waiting[i + 1]) end
    end
  end
  if not mine then
    mine = lowest or 0
    redis.call('ZADD', passes, mine, member)
  end
  redis.call('EXPIRE', passes, 86400)
  redis.call('EXPIRE', seen, 86400)
  if refuser > 0 then return {0, refuser, wait, now} end
  if before or (lowest and mine > lowest) then
    -- Not its turn. What the others leave unused for half a burst is there for anyone, so that no rate is lost.
    local spare = math.floor(shared_free - shared_burst / 2)
    if shared_burst < 2 or spare < 1 then
      return {0, -1, math.ceil(math.min(math.max(shared_interval, 5000), 1000000)), now}
    end
    granted = math.min(granted, spare)
  end
  redis.call('ZADD', passes, mine + granted / weight, member)
end

for i = 1, n_limits do
  keep(KEYS[i], tats[i] + granted * tonumber(ARGV[8 + 2 * i]), tonumber(ARGV[9 + 2 * i]))
end
for i = 1, n_quotas do
  redis.call('INCRBY', KEYS[n_limits + i], granted)
end
return {granted, 0, 0, now}
