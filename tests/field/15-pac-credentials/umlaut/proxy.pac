function FindProxyForURL(url, host) {
  return "PROXY webpr\u00f6xy.corp.example:8080; PROXY webproxy.corp.example:8080";
}
