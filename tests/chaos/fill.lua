-- Requests without a credential, several at a time on each connection.
local several

function init()
  local one = wrk.format("GET", "/v1.0/users")
  several = string.rep(one, 16)
end

function request()
  return several
end
