// The real origin: Go's net/http and gorilla/websocket, with the paths, checks
// and pages of the Bindplane server. What it writes on the wire is theirs, not
// a copy. It takes one argument, a JSON file (see [config]); tests/run builds it.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const shell = `<!doctype html><html lang="en"><head><meta charset="utf-8"/><title>BindPlane</title>` +
	`<script src="/js/_globals.js"></script></head><body><div id="root"></div></body></html>`

type config struct {
	Listen string // address and port
	Cert   string // PEM files; without them it speaks plain HTTP
	Key    string
	Paths  []string // what is a WebSocket; any other path gets the page shell
	// "same-host" is gorilla's own check; "any" takes every Origin, as /v1/graphql does.
	Origin string
	User   string // user:password; without it nobody is asked for credentials
	// As gorilla from 1.5.1 on: 426 to a request without Upgrade, where 1.5.0 says 400.
	Newer   bool
	Version string // in /js/_globals.js
	// Before it answers an upgrade, in milliseconds.
	DelayMs int
	// Closes the connection in place of answering an upgrade.
	Hangup bool
	// Grants permessage-deflate, and compresses what it sends.
	Compress bool
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	var c config
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		log.Fatalf("%s: %v", os.Args[1], err)
	}
	// As the server's own (bindplane-op, cli/commands/serve/server.go).
	server := &http.Server{
		Addr: c.Listen, Handler: c, ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: time.Minute, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err == nil && c.Cert != "" {
		err = server.ServeTLS(listener, c.Cert, c.Key)
	} else if err == nil {
		err = server.Serve(listener)
	}
	log.Fatal(err)
}

func (c config) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.cors(w, r)
	if strings.HasPrefix(r.URL.Path, "/v1/") && c.User != "" {
		user, password, _ := r.BasicAuth()
		if user+":"+password != c.User {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	for _, path := range c.Paths {
		if r.URL.Path == path {
			c.socket(w, r)
			return
		}
	}
	switch r.URL.Path {
	case "/health":
	case "/js/_globals.js":
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		fmt.Fprintf(w, "var __BINDPLANE_VERSION__ = %q;\n", c.Version)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, shell)
	}
}

// cors is gin-cors's part: every Origin is let through.
func (c config) cors(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}

func (c config) socket(w http.ResponseWriter, r *http.Request) {
	graphql := r.URL.Path == "/v1/graphql"
	if graphql && r.Header.Get("Upgrade") == "" {
		// gqlgen looks for a transport before gorilla is asked.
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"errors":[{"message":"transport not supported"}],"data":null}`)
		return
	}
	upgrading := websocket.IsWebSocketUpgrade(r)
	if upgrading {
		time.Sleep(time.Duration(c.DelayMs) * time.Millisecond)
	}
	if upgrading && c.Hangup {
		panic(http.ErrAbortHandler)
	}
	upgrader := websocket.Upgrader{EnableCompression: c.Compress}
	if graphql {
		upgrader.Subprotocols = []string{"graphql-transport-ws", "graphql-ws"}
	}
	if c.Origin == "any" || graphql {
		upgrader.CheckOrigin = func(*http.Request) bool { return true }
	}
	if c.Newer {
		upgrader.Error = newerError
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		log.Printf("%s: %v", r.URL.Path, err)
		if graphql { // gqlgen adds a word of its own
			fmt.Fprint(w, `{"errors":[{"message":"unable to upgrade"}],"data":null}`)
		}
		return
	}
	defer conn.Close()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, message) != nil {
			return
		}
	}
}

// newerError answers as gorilla from 1.5.1 on (server.go, Upgrade and returnError).
func newerError(w http.ResponseWriter, r *http.Request, status int, reason error) {
	if strings.Contains(reason.Error(), "token not found in 'Upgrade'") {
		w.Header().Set("Upgrade", "websocket")
		status = http.StatusUpgradeRequired
	}
	w.Header().Set("Sec-Websocket-Version", "13")
	http.Error(w, http.StatusText(status), status)
}
