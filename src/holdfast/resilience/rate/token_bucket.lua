-- Take tokens from every bucket of one subject, or from none of them.
--
-- KEYS[i]       the due of bucket i: when it is full again, in microseconds since
--               2025-01-01. All keys share a hash tag, so they are in one slot.
-- ARGV[1]       tokens that the call costs; 0 looks; below 0 gives tokens back
-- ARGV[2]       tokens to take if there are so many, at least ARGV[1] (a lease)
-- ARGV[2*i+1]   microseconds that one token of bucket i costs
-- ARGV[2*i+2]   microseconds until bucket i, when empty, is full
-- returns       {tokens taken or -1 if refused, now, due 1 before, due 2 before, ...}
--
-- The clock is the server's, so callers need not agree on the time. Counted from
-- 2025, an instant plus the deepest bucket is below 2^53: doubles are exact.
local cost = tonumber(ARGV[1])
local granted = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1735689600) * 1000000 + tonumber(time[2])
local dues = redis.call('MGET', unpack(KEYS))
local reply = {granted, now}

for i = 1, #KEYS do
  local interval = tonumber(ARGV[2 * i + 1])
  local latest = now + tonumber(ARGV[2 * i + 2])
  local due = tonumber(dues[i] or now) or now
  -- Later than an empty bucket: the clock was set back, or the quota was changed.
  due = math.min(math.max(due, now), latest)
  local free = math.floor((latest - due) / interval)
  -- A quotient of doubles may be rounded up to the next whole number.
  if free * interval > latest - due then
    free = free - 1
  end
  granted = math.min(granted, free)
  reply[i + 2] = due
end

if cost < 0 then
  granted = cost
elseif granted < cost then
  granted = -1
end
reply[1] = granted
if granted == 0 or (granted == -1 and cost >= 0) then
  return reply
end

for i = 1, #KEYS do
  local due = math.max(now, reply[i + 2] + granted * tonumber(ARGV[2 * i + 1]))
  -- Kept until the bucket is full, and a moment longer: a time to live of nothing
  -- would delete the key and let everybody through.
  local millis = math.ceil((due - now) / 1000) + 1
  redis.call('SET', KEYS[i], string.format('%.0f', due),
             'PX', string.format('%.0f', millis))
end
return reply
