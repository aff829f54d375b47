-- Leases one connection at several scopes at once: a place in each, and a permit of each rate of new connections.
-- KEYS  one sorted set per slot (member: connection id, score: expiry in microseconds), then one key per rate
-- ARGV  connection id, ttl_us, now_us (0: Redis time), n_slots, then one maximum per slot,
--       then per rate: interval_us, tau_us
-- Gives {1, 0, 0} or {0, refuser, wait_us}. refuser counts slots first, rates behind; wait_us is 0 where a place
-- is missing: nobody knows when one comes free.

local id, ttl, now, n_slots = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end

for i = 1, n_slots do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[4 + i]) and not redis.call('ZSCORE', KEYS[i], id) then
    return {0, i, 0}
  end
end

local tats = {}
for i = 1, #KEYS - n_slots do
  local interval, tau = tonumber(ARGV[3 + n_slots + 2 * i]), tonumber(ARGV[4 + n_slots + 2 * i])
  local tat = tonumber(redis.call('GET', KEYS[n_slots + i]) or nil) or (now + tau - interval)
  tat = math.min(math.max(tat, now), now + tau) + interval
  if tat > now + tau + 1 then return {0, n_slots + i, math.ceil(tat - now - tau)} end
  tats[i] = tat
end

for i, tat in ipairs(tats) do
  redis.call('SET', KEYS[n_slots + i], tat, 'PX', math.ceil((tat - now) / 1000) + 60000)
end
for i = 1, n_slots do
  redis.call('ZADD', KEYS[i], now + ttl, id)
  redis.call('PEXPIRE', KEYS[i], math.ceil(ttl / 1000) + 60000)
end
return {1, 0, 0}
