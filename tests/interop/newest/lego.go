// What lego's library does that its Debian package is too old for: renewal by ARI, key rollover, an IP certificate, a
// profile. The command line of lego 5 needs a module that is not everywhere to be had, its library does not.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/go-acme/lego/v5/acme"
	"github.com/go-acme/lego/v5/certcrypto"
	"github.com/go-acme/lego/v5/certificate"
	"github.com/go-acme/lego/v5/challenge/http01"
	"github.com/go-acme/lego/v5/lego"
	"github.com/go-acme/lego/v5/registration"
)

type user struct {
	key     crypto.Signer
	account *acme.ExtendedAccount
}

func (u *user) GetEmail() string                       { return "admin@example.test" }
func (u *user) GetRegistration() *acme.ExtendedAccount { return u.account }
func (u *user) GetPrivateKey() crypto.Signer           { return u.key }

var ctx = context.Background()

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	return key
}

func write(name string, res *certificate.Resource) {
	check(os.WriteFile(name, res.Certificate, 0o644))
}

func obtain(client *lego.Client, file, profile string, names ...string) *certificate.Resource {
	res, err := client.Certificate.Obtain(ctx, certificate.ObtainRequest{Domains: names, Bundle: true, Profile: profile, KeyType: certcrypto.EC256})
	check(err)
	write(file, res)
	return res
}

// Renews when the server's window says so; `now` is what the server takes for the present.
func renew(client *lego.Client, res *certificate.Resource, file string, now time.Time) bool {
	chain, err := certcrypto.ParsePEMBundle(res.Certificate)
	check(err)
	info, err := client.Certificate.GetRenewalInfo(ctx, chain[0])
	check(err)
	if info.ShouldRenewAt(now, 0) == nil {
		return false
	}
	renewed, err := client.Certificate.Renew(ctx, *res, &certificate.RenewOptions{Bundle: true, UseARICertID: true})
	check(err)
	write(file, renewed)
	return true
}

func main() {
	directory, port := os.Args[1], os.Args[2]
	u := &user{key: newKey()}
	config := lego.NewConfig(u)
	config.CADirURL = directory
	client, err := lego.NewClient(config)
	check(err)
	check(client.Challenge.SetHTTP01Provider(http01.NewProviderServer("127.0.0.1", port)))
	u.account, err = client.Registration.Register(ctx, registration.RegisterOptions{TermsOfServiceAgreed: true})
	check(err)

	first := obtain(client, "first.pem", "", "ari.example.test", "www.ari.example.test")
	if renew(client, first, "early.pem", time.Now()) {
		check(fmt.Errorf("a new certificate should not be renewed yet"))
	}
	if !renew(client, first, "renewed.pem", time.Now().Add(70*24*time.Hour)) {
		check(fmt.Errorf("after 70 days it should be renewed"))
	}
	obtain(client, "ip.pem", "", "127.0.0.1")
	obtain(client, "short.pem", "shortlived", "short.example.test")
	check(client.Registration.KeyRollover(ctx, newKey()))
	fmt.Println("done")
}
