-- Admits a peer that vsock's loopback names, and nobody else.
policy {
  name = "vsock",
  api = 1,
  on_error = "reject",
  session_route = function (s)
    if s.peer.transport == "vsock" and s.peer.cid == 1 and not s.peer.uid then
      return route { "witness" }
    end
    return reject { code = "EPERM", reason = "only CID 1 over vsock is served here" }
  end,
}
