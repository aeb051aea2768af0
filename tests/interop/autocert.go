// autocert DIRECTORY CA-FILE ADDRESS NAME...: a web server with autocert.Manager, as its users write it.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

func main() {
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist(os.Args[4:]...),
		Client:     &acme.Client{DirectoryURL: os.Args[1], HTTPClient: trusting},
	}
	listener, err := net.Listen("tcp", os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening")
	hello := func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		fmt.Fprintf(w, "hello from %s", host)
	}
	server := &http.Server{Handler: http.HandlerFunc(hello), TLSConfig: manager.TLSConfig()}
	log.Fatal(server.ServeTLS(listener, "", ""))
}
