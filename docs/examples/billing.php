<?php
// Seats API: prints the address of a Stripe portal session in which the organization sees its invoices. With
// HEADCOUNT_DO=cancel its subscription ends with the billing period, with HEADCOUNT_DO=resume it does not after all; then
// that is printed in words. Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, PHP 8 and Guzzle 7:
// composer require guzzlehttp/guzzle, or Debian's php-guzzlehttp-guzzle.

declare(strict_types=1);

$autoloaders = [getcwd() . '/vendor/autoload.php', '/usr/share/php/GuzzleHttp/autoload.php'];
require current(array_filter($autoloaders, 'is_file'));

use GuzzleHttp\Client;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;

// To cancel or to resume twice is to do it once.
$busy = fn ($retries, $request, $response, $error) =>
    $retries < 3 && ($error !== null || in_array($response->getStatusCode(), [429, 503], true));
$wait = fn ($retries, $response) => 1000 * (int) ($response?->getHeaderLine('Retry-After') ?: 1);
$handler = HandlerStack::create();
$handler->push(Middleware::retry($busy, $wait));
$client = new Client(['base_uri' => getenv('HEADCOUNT_API'), 'handler' => $handler, 'timeout' => 30]);

$response = $client->post('/billing/' . (getenv('HEADCOUNT_DO') ?: 'portal'), [
    'http_errors' => false,
    'headers' => ['Authorization' => 'Bearer ' . getenv('HEADCOUNT_SEATS_API_KEY')],
]);
$body = json_decode((string) $response->getBody(), true);
if ($response->getStatusCode() !== 200) {
    fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
    exit(1);
}
echo $body['data']['url'] ?? $body['data']['message'], "\n";
