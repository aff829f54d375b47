-- Returns n permits that were taken and not used.
-- KEYS  one per limit, then one per quota, then (when shared) the claimants' virtual times
-- ARGV  n, n_limits, n_quotas, member ("lane:claimant", empty: not shared), weight, then interval_us per limit
-- What Redis forgot meanwhile stays forgotten: a missing key is never made anew.

local n, n_limits, n_quotas = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, n_limits do
  local tat = tonumber(redis.call('GET', KEYS[i]) or nil)
  if tat then redis.call('SET', KEYS[i], tat - n * tonumber(ARGV[5 + i]), 'KEEPTTL') end
end
for i = 1, n_quotas do
  local used = tonumber(redis.call('GET', KEYS[n_limits + i]) or nil)
  if used then redis.call('DECRBY', KEYS[n_limits + i], math.min(n, used)) end
end
if ARGV[4] ~= '' then
  local passes = KEYS[n_limits + n_quotas + 1]
  if redis.call('ZSCORE', passes, ARGV[4]) then redis.call('ZINCRBY', passes, -n / tonumber(ARGV[5]), ARGV[4]) end
end
return {n}
