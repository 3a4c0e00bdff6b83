function FindProxyForURL(url, host) {
  return ["PROXY webproxy.corp.example:8080", "DIRECT"];
}
