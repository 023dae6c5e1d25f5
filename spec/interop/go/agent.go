package main

import (
	"bytes"
	"fmt"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	synchronous  = "vaccel.sync.agent.AgentService"
	asynchronous = "vaccel.asynchronous.agent.AgentService"
	chunkMax     = 4<<20 - 64

	opDetect = 4
	argUint8 = 9
	argText  = 26
	argBytes = 28
)

func agentCall(client *ttrpc.Client, service, method string, bytes []byte) (*message, error) {
	answer := &message{}
	err := client.Call(background, service, method, raw(bytes), answer)
	return answer, err
}

func newSession(client *ttrpc.Client, service string) (int64, error) {
	answer, err := agentCall(client, service, "CreateSession", number(nil, 1, 0))
	return numberOf(answer, 1), err
}

func arg(kind int64, value []byte, size int, part, parts int64) []byte {
	bytes := number(number(text(nil, 1, value), 2, int64(size)), 3, kind)
	if parts > 0 {
		bytes = number(number(bytes, 5, parts), 6, part)
	}
	return bytes
}

// A genop.Request of one argument: field 2 to read, 3 to write.
func part(session int64, field protowire.Number, argument []byte) *message {
	return raw(text(number(nil, 1, session), field, argument))
}

// An image of so many bytes to the noop plugin, in chunks, and its name back.
func detect(client *ttrpc.Client, size int) error {
	session, err := newSession(client, asynchronous)
	if err != nil {
		return err
	}
	stream, err := client.NewStream(background, &ttrpc.StreamDesc{StreamingClient: true}, asynchronous,
		"GenopStream", nil)
	if err != nil {
		return err
	}
	requests := []*message{part(session, 2, arg(argUint8, []byte{opDetect}, 1, 0, 0))}
	image := pattern(size)
	parts := (size + chunkMax - 1) / chunkMax
	for i := 0; i < parts; i++ {
		end := (i + 1) * chunkMax
		if end > size {
			end = size
		}
		requests = append(requests,
			part(session, 2, arg(argBytes, image[i*chunkMax:end], size, int64(i+1), int64(parts))))
	}
	requests = append(requests, part(session, 3, arg(argText, make([]byte, 100), 100, 0, 0)))
	for _, m := range requests {
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	answer := &message{}
	if err := stream.RecvMsg(answer); err != nil {
		return err
	}
	name := textOf(raw(textOf(answer, 1)), 1)
	if len(name) != 100 || !bytes.HasPrefix(name, []byte("This is a dummy")) {
		return fmt.Errorf("the name is %q", name)
	}
	return nil
}

func sessions(client *ttrpc.Client, service string) error {
	session, err := newSession(client, service)
	if err != nil {
		return err
	}
	if session <= 0 {
		return fmt.Errorf("session %d", session)
	}
	bytes := number(nil, 1, session)
	if _, err := agentCall(client, service, "UpdateSession", number(bytes, 2, 7)); err != nil {
		return err
	}
	if _, err := agentCall(client, service, "DestroySession", bytes); err != nil {
		return err
	}
	_, err = agentCall(client, service, "DestroySession", bytes)
	return wantCode(err, codes.NotFound)
}

func agentCases(dial dialer) (dialer, []testCase) {
	return dial, []testCase{
		{"the agent's sessions", func(c *ttrpc.Client) error { return sessions(c, synchronous) }},
		{"the agent's sessions, asynchronous", func(c *ttrpc.Client) error { return sessions(c, asynchronous) }},
		{"the agent's GenopStream", func(c *ttrpc.Client) error { return detect(c, 1000) }},
		{"the agent's GenopStream, 20 MiB", func(c *ttrpc.Client) error { return detect(c, 20*mib) }},
		{"an agent's method that is none", func(c *ttrpc.Client) error {
			_, err := agentCall(c, asynchronous, "None", nil)
			return wantCode(err, codes.Unimplemented)
		}},
		{"a message for the agent that is none", func(c *ttrpc.Client) error {
			_, err := agentCall(c, asynchronous, "CreateSession", []byte{0x0a, 0x7f})
			if err := wantCode(err, codes.InvalidArgument); err != nil {
				return err
			}
			return sessions(c, asynchronous)
		}},
	}
}
