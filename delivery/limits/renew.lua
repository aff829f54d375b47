-- Renews many connection leases at once.
-- KEYS  the sorted sets
-- ARGV  ttl_us, now_us (0: Redis time), then per lease and slot: number of its key, its maximum, connection id
-- Gives the numbers (from 1) of the entries that are lost: they ran out and others took the place. An entry that
-- Redis forgot (it was flushed) is entered again where there is room, since its connection is still open.

local ttl, now = tonumber(ARGV[1]), tonumber(ARGV[2])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end

for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  -- A clock set back leaves leases that would outlive their holder's death by hours.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. string.format('%.0f', now + 2 * ttl), '+inf')) do
    redis.call('ZADD', key, now + ttl, id)
  end
end

local lost = {}
for i = 1, (#ARGV - 2) / 3 do
  local key, most, id = KEYS[tonumber(ARGV[3 * i])], tonumber(ARGV[3 * i + 1]), ARGV[3 * i + 2]
  if redis.call('ZSCORE', key, id) or redis.call('ZCARD', key) < most then
    redis.call('ZADD', key, now + ttl, id)
  else
    lost[#lost + 1] = i
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, math.ceil(ttl / 1000) + 60000) end
return lost
