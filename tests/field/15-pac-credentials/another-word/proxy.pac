function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".corp.example"))
    return "HTTP proxy.corp.example:3128";
  return "DIRECT";
}
