function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".CORP.EXAMPLE")) return "PROXY webproxy.corp.example:8080";
  return "DIRECT";
}
