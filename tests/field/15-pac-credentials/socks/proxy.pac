function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".corp.example"))
    return "SOCKS5 reader:Spr1ng-Pass@proxy.corp.example:1080; DIRECT";
  return "DIRECT";
}
