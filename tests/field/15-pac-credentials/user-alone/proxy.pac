function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".corp.example"))
    return "PROXY svc-reader@proxy.corp.example:3128";
  return "DIRECT";
}
