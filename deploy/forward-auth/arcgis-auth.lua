-- Asks ArcGIS Sign-In whether a request may pass: haproxy.cfg has the rest.
local address = "http://127.0.0.1:3000/auth?redirect=true"
local passed_on = { "cookie", "accept", "sec-fetch-mode", "user-agent" }
local identity = { "user", "name", "organization", "role", "groups" }

core.register_action("arcgis_auth", { "http-req" }, function(txn)
  local sent = txn.http:req_get_headers()
  local headers = {
    ["x-forwarded-uri"] = { txn.f:pathq() },
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-for"] = { txn.f:src() },
    ["x-forwarded-proto"] = { "https" },
  }
  for _, name in ipairs(passed_on) do
    if sent[name] then headers[name] = { sent[name][0] } end
  end
  local response = core.httpclient():get({ url = address, headers = headers, timeout = 10000 })
  if response.status == 204 then
    txn:set_var("txn.arcgis_allowed", true)
    for _, name in ipairs(identity) do
      local value = response.headers["x-auth-request-" .. name]
      if value and value[0] ~= "" then txn.http:req_set_header("X-Auth-Request-" .. name, value[0]) end
    end
    return
  end
  -- Without a response, too: nothing passes that was not allowed.
  local reply = txn:reply({ status = response.status or 502, body = response.body or "" })
  for _, name in ipairs({ "location", "content-type", "cache-control", "content-security-policy" }) do
    local value = response.headers and response.headers[name]
    if value then reply:add_header(name, value[0]) end
  end
  txn:done(reply)
end)
