vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "{backend_port}"; }
sub vcl_recv {
    set req.url = regsub(req.url, "^/v1/", "/");
    if (req.http.upgrade ~ "(?i)websocket") { return (pipe); }
    return (pass);
}
sub vcl_pipe {
    if (req.http.upgrade) {
        set bereq.http.upgrade = req.http.upgrade;
        set bereq.http.connection = req.http.connection;
    }
    return (pipe);
}
sub vcl_deliver { unset resp.http.Via; unset resp.http.X-Varnish; unset resp.http.Age; }
