function FindProxyForURL(url, host) {
  if (dnsDomainIs(host, ".corp.example"))
    return "PROXY http://reader:Aut-umn9@proxy.corp.example:3128";
  return "DIRECT";
}
