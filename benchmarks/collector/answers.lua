-- One answer per survey: the tokens come from a file, from line `first` on. Prints one line for the runner.
local tokens, n = {}, 0
local head = {["Content-Type"] = "application/json"}

function init(args)
  local first, line = tonumber(args[2]), 0
  for token in io.lines(args[1]) do
    line = line + 1
    if line > first then tokens[#tokens + 1] = token end
  end
end

function request()
  n = n + 1
  local token = tokens[n] or "out-of-surveys"
  local body = '{"token":"' .. token .. '","answers":{"nps":' .. n % 11 .. ',"why":"the onboarding was quick but the import was slow"}}'
  return wrk.format("POST", "/v1/responses", head, body)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %f %f %d\n", summary.requests, summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
