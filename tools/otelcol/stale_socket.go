package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/fluentforwardreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
)

// receiverOverStaleSocket is the Fluent Forward receiver, which also starts where a killed run left its Unix socket:
// the kernel keeps the name in the file system, and to bind it again fails for ever.
func receiverOverStaleSocket() receiver.Factory {
	plain := fluentforwardreceiver.NewFactory()
	return receiver.NewFactory(plain.Type(), plain.CreateDefaultConfig, receiver.WithLogs(
		func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			logs, err := plain.CreateLogs(ctx, set, cfg, next)
			if err != nil {
				return nil, err
			}
			return &overStaleSocket{Logs: logs, address: cfg.(*fluentforwardreceiver.Config).ListenAddress}, nil
		}, plain.LogsStability()))
}

type overStaleSocket struct {
	receiver.Logs
	address string
}

// Start takes the socket away if nobody answers on it, and starts the receiver.
func (r *overStaleSocket) Start(ctx context.Context, host component.Host) error {
	path := strings.TrimPrefix(r.address, "unix://")
	if strings.HasPrefix(path, "/") {
		if err := removeStaleSocket(path); err != nil {
			return err
		}
	}
	return r.Logs.Start(ctx, host)
}

func removeStaleSocket(path string) error {
	connection, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(connection.Close(), &fs.PathError{Op: "listen", Path: path, Err: syscall.EADDRINUSE})
	}
	// ENOTSOCK and the like mean that the file is somebody else's: the receiver says so when it binds.
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}
