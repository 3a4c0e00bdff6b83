vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "{backend-port}"; }
backend dead { .host = "127.0.0.1"; .port = "{closed}"; }
sub vcl_recv {
    if (req.http.Upgrade ~ "(?i)websocket") { set req.backend_hint = dead; return (pipe); }
    return (pass);
}
