function FindProxyForURL(url, host) {
  console.log("asked for " + host);
  var mine = myIpAddressEx();
  var all = sortIpAddressList("192.0.2.9;192.0.2.1");
  if (isInNetEx("10.1.2.3", "10.0.0.0/8") && all == "192.0.2.1;192.0.2.9" && mine) return "DIRECT";
  return "PROXY webproxy.corp.example:8080";
}
