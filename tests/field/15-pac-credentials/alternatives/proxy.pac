function FindProxyForURL(url, host) {
  if (shExpMatch(host, "(wiki|bindplane|*.apps).corp.example")) return "DIRECT";
  return "PROXY webproxy.corp.example:8080";
}
