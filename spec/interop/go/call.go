package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	service = "test"
	mib     = 1 << 20
)

type testCase struct {
	name string
	run  func(*ttrpc.Client) error
}

type dialer = func() net.Conn

var background = context.Background()

func call(client *ttrpc.Client, method string, id int64, image []byte) ([]byte, error) {
	answer := &message{}
	err := client.Call(background, service, method, request(id, image), answer)
	return tagsOf(answer), err
}

func want(got, expected []byte) error {
	if !bytes.Equal(got, expected) {
		return fmt.Errorf("%d bytes came, not the %d that should", len(got), len(expected))
	}
	return nil
}

func wantCode(err error, code codes.Code) error {
	if status.Code(err) != code {
		return fmt.Errorf("status %v: %v", status.Code(err), err)
	}
	return nil
}

func echoOnce(client *ttrpc.Client, image []byte) error {
	got, err := call(client, "Echo", 0, image)
	if err != nil {
		return err
	}
	return want(got, image)
}

func pattern(size int) []byte {
	image := make([]byte, size)
	for i := range image {
		image[i] = byte(i*7 + i/4096)
	}
	return image
}

// A request, its answer, and the stream's end.
func sums(client *ttrpc.Client, messages, size int) error {
	stream, err := client.NewStream(background, &ttrpc.StreamDesc{StreamingClient: true}, service, "Sum", nil)
	if err != nil {
		return err
	}
	image := pattern(messages * size)
	for i := 0; i < messages; i++ {
		if err := stream.SendMsg(request(0, image[i*size:(i+1)*size])); err != nil {
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
	return want(tagsOf(answer), image)
}

func counts(client *ttrpc.Client, messages int) error {
	stream, err := client.NewStream(background, &ttrpc.StreamDesc{StreamingServer: true}, service, "Count",
		request(int64(messages), nil))
	if err != nil {
		return err
	}
	for i := 0; i < messages; i++ {
		answer := &message{}
		if err := stream.RecvMsg(answer); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if err := want(tagsOf(answer), []byte{byte(i)}); err != nil {
			return err
		}
	}
	if err := stream.RecvMsg(&message{}); !errors.Is(err, io.EOF) {
		return fmt.Errorf("no end: %v", err)
	}
	return nil
}

func chats(client *ttrpc.Client, messages int, end codes.Code) error {
	desc := &ttrpc.StreamDesc{StreamingClient: true, StreamingServer: true}
	stream, err := client.NewStream(background, desc, service, "Chat", nil)
	if err != nil {
		return err
	}
	for i := 0; i < messages; i++ {
		answer := &message{}
		if err := stream.SendMsg(request(0, pattern(i))); err != nil {
			return err
		}
		if err := stream.RecvMsg(answer); err != nil {
			return err
		}
		if err := want(tagsOf(answer), pattern(i)); err != nil {
			return err
		}
	}
	if end != codes.OK {
		if err := stream.SendMsg(request(int64(end), nil)); err != nil {
			return err
		}
		return wantCode(stream.RecvMsg(&message{}), end)
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(&message{}); !errors.Is(err, io.EOF) {
		return fmt.Errorf("no end: %v", err)
	}
	return nil
}

func together(n int, run func(i int) error) error {
	results := make(chan error, n)
	var group sync.WaitGroup
	for i := 0; i < n; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			results <- run(i)
		}(i)
	}
	group.Wait()
	close(results)
	for err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}

func deadline(client *ttrpc.Client) error {
	ctx, cancel := context.WithTimeout(background, 100*time.Millisecond)
	defer cancel()
	err := client.Call(ctx, service, "Later", request(300, nil), &message{})
	if !errors.Is(err, context.DeadlineExceeded) && status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("no deadline: %v", err)
	}
	/* The answer that comes too late is no other call's. */
	time.Sleep(300 * time.Millisecond)
	return echoOnce(client, []byte("after"))
}

func withMetadata(client *ttrpc.Client, pairs int) error {
	md := ttrpc.MD{}
	for i := 0; i < pairs; i++ {
		md.Append(fmt.Sprintf("key-%d", i), "value")
	}
	answer := &message{}
	err := client.Call(ttrpc.WithMetadata(background, md), service, "Echo", request(0, []byte("x")), answer)
	if err != nil {
		return err
	}
	return want(tagsOf(answer), []byte("x"))
}

func callCases(dial dialer) (dialer, []testCase) {
	return dial, []testCase{
		{"unary", func(c *ttrpc.Client) error { return echoOnce(c, []byte("image")) }},
		{"unary, nothing", func(c *ttrpc.Client) error { return echoOnce(c, nil) }},
		{"unary, 3 MiB", func(c *ttrpc.Client) error { return echoOnce(c, pattern(3*mib)) }},
		{"unary, one after the other", func(c *ttrpc.Client) error {
			for i := 0; i < 1000; i++ {
				if err := echoOnce(c, pattern(i)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"unary, at once", func(c *ttrpc.Client) error {
			return together(100, func(i int) error { return echoOnce(c, pattern(i*1000)) })
		}},
		{"unary, a failure", func(c *ttrpc.Client) error {
			for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
				_, err := call(c, "Fail", int64(code), nil)
				if err := wantCode(err, code); err != nil {
					return err
				}
			}
			return echoOnce(c, []byte("x"))
		}},
		{"unary, no such method", func(c *ttrpc.Client) error {
			_, err := call(c, "None", 0, nil)
			return wantCode(err, codes.InvalidArgument)
		}},
		{"client streaming", func(c *ttrpc.Client) error { return sums(c, 100, 1000) }},
		{"client streaming, nothing", func(c *ttrpc.Client) error { return sums(c, 0, 0) }},
		{"client streaming, 40 messages of 100 kB", func(c *ttrpc.Client) error { return sums(c, 40, 100000) }},
		{"server streaming", func(c *ttrpc.Client) error { return counts(c, 1000) }},
		{"server streaming, nothing", func(c *ttrpc.Client) error { return counts(c, 0) }},
		{"bidirectional", func(c *ttrpc.Client) error { return chats(c, 300, codes.OK) }},
		{"bidirectional, a failure", func(c *ttrpc.Client) error { return chats(c, 3, codes.Aborted) }},
		{"all at once", func(c *ttrpc.Client) error {
			return together(60, func(i int) error {
				switch i % 4 {
				case 0:
					return echoOnce(c, pattern(i*5000))
				case 1:
					return sums(c, 20, 3000)
				case 2:
					return counts(c, 50)
				default:
					return chats(c, 20, codes.OK)
				}
			})
		}},
		{"oversize request", func(c *ttrpc.Client) error {
			if err := wantCode(echoOnce(c, pattern(5*mib)), codes.InvalidArgument); err != nil {
				return err
			}
			return echoOnce(c, []byte("x"))
		}},
		{"oversize message of a stream", func(c *ttrpc.Client) error {
			if err := wantCode(sums(c, 1, 5*mib), codes.InvalidArgument); err != nil {
				return err
			}
			return sums(c, 1, 5)
		}},
		{"deadline", deadline},
		{"metadata", func(c *ttrpc.Client) error { return withMetadata(c, 64) }},
		{"metadata, too many pairs", func(c *ttrpc.Client) error {
			return wantCode(withMetadata(c, 65), codes.ResourceExhausted)
		}},
		{"malformed message", func(c *ttrpc.Client) error {
			err := c.Call(background, service, "Echo", malformed(), &message{})
			if err := wantCode(err, codes.InvalidArgument); err != nil {
				return err
			}
			return echoOnce(c, []byte("x"))
		}},
		{"a stream that is left", func(c *ttrpc.Client) error {
			desc := &ttrpc.StreamDesc{StreamingClient: true}
			if _, err := c.NewStream(background, desc, service, "Sum", nil); err != nil {
				return err
			}
			return echoOnce(c, []byte("x"))
		}},
	}
}

// Each case on a connection of its own.
func report(dial dialer, cases []testCase) {
	failed := false
	for _, c := range cases {
		client := ttrpc.NewClient(dial())
		done := make(chan error, 1)
		go func() { done <- c.run(client) }()
		var err error
		select {
		case err = <-done:
		case <-time.After(60 * time.Second):
			err = errors.New("no answer in 60 s")
		}
		client.Close()
		if err != nil {
			failed = true
			fmt.Printf("not ok %s: %v\n", c.name, err)
		} else {
			fmt.Printf("ok %s\n", c.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
