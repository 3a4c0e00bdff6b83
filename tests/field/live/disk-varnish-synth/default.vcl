vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "{backend_port}"; }
sub vcl_recv {
    if (req.url ~ "^/v1/opamp" && req.http.upgrade ~ "(?i)websocket") { return (pipe); }
    if (req.url ~ "^/(js|health)") { return (pass); }
    return (synth(200, "OK"));
}
sub vcl_synth {
    set resp.http.Content-Type = "text/html; charset=utf-8";
    set resp.body = "<!doctype html><html><head><title>BindPlane</title></head><body><div id=root></div></body></html>";
    return (deliver);
}
sub vcl_pipe {
    set bereq.http.upgrade = req.http.upgrade;
    set bereq.http.connection = req.http.connection;
    return (pipe);
}
