package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
)

// What is written to a connection, and kept.
type recorded struct {
	net.Conn
	lock  *sync.Mutex
	bytes *bytes.Buffer
}

func (r recorded) Write(p []byte) (int, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.bytes.Write(p)
	return r.Conn.Write(p)
}

type recordingListener struct {
	net.Listener
	lock  *sync.Mutex
	bytes *bytes.Buffer
}

func (l recordingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return recorded{conn, l.lock, l.bytes}, err
}

// Cases whose bytes are the same each time: one call after the other.
var recordings = []testCase{
	{"unary", func(c *ttrpc.Client) error { return echoOnce(c, []byte("image")) }},
	{"failure", func(c *ttrpc.Client) error { _, err := call(c, "Fail", 5, nil); return wantCode(err, codes.NotFound) }},
	{"metadata", func(c *ttrpc.Client) error { return withMetadata(c, 1) }},
	{"malformed", func(c *ttrpc.Client) error {
		_ = c.Call(background, service, "Echo", malformed(), &message{})
		return echoOnce(c, []byte("x"))
	}},
	{"client-stream", func(c *ttrpc.Client) error { return sums(c, 3, 5) }},
	{"server-stream", func(c *ttrpc.Client) error { return counts(c, 3) }},
	{"both-stream", func(c *ttrpc.Client) error { return chats(c, 3, codes.OK) }},
	{"both-stream-failure", func(c *ttrpc.Client) error { return chats(c, 3, codes.Aborted) }},
}

func recordOne(folder string, c testCase) {
	var lock sync.Mutex
	var fromClient, fromServer bytes.Buffer
	socket := filepath.Join(folder, "socket")
	defer os.Remove(socket)
	server := newServer()
	listener := recordingListener{listen(socket), &lock, &fromServer}
	go func() { _ = server.Serve(context.Background(), listener) }()
	client := ttrpc.NewClient(recorded{dial(socket), &lock, &fromClient})
	if err := c.run(client); err != nil {
		fail(err)
	}
	client.Close()
	server.Close()
	lock.Lock()
	defer lock.Unlock()
	for name, bytes := range map[string][]byte{"client": fromClient.Bytes(), "server": fromServer.Bytes()} {
		path := filepath.Join(folder, c.name+"."+name)
		if err := os.WriteFile(path, bytes, 0o644); err != nil {
			fail(err)
		}
	}
}

func record(folder string) {
	for _, c := range recordings {
		recordOne(folder, c)
	}
}
