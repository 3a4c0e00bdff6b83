vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "{backend_port}"; .max_connections = 2; }
sub vcl_recv {
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
