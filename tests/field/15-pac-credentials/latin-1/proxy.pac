// Ausnahmen für Großkunden
var b = "ü";
function FindProxyForURL(url, host) {
  if (b.length == 1 && shExpMatch(host, "*.corp.example")) return "DIRECT";
  return "PROXY webproxy.corp.example:8080";
}
